"""Changing a password, and getting back in without one."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.doors import Door
from accounts.api.serializers import ChangePasswordBody, EmailBody, ResetConfirmBody
from accounts.services import entrance
from accounts.services.passwords import change_password, confirm_password_reset, request_password_reset
from config.api import ratelimit
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.ratelimit import OWN_PASSWORD, REGISTER, RESET_TO, TOKEN_TRY
from config.api.views import ApiView
from config.clock import database_now


class ChangePasswordView(ApiView):
    # In two phases, so that what the audit learns of a wrong password outlives the refusal.
    @operation(body=ChangePasswordBody, answer=None, limits=(OWN_PASSWORD,), idempotency=Mode.TWO_PHASE)
    def post(self, request: Request) -> Response:
        """Change the password.

        Ends every session and every token at once, also those of this call: sign in again.
        """
        body = self.valid_body()
        with entrance.giving_password(user=caller(request), field="current_password"):
            change_password(user=caller(request), current=body["current_password"], new=body["new_password"])
        ratelimit.forgive(request)
        return Response(status=204)


class ResetPasswordView(Door):
    @operation(body=EmailBody, answer=None, limits=(RESET_TO, REGISTER))
    def post(self, request: Request) -> Response:
        """Mail a link that sets a new password.

        The answer is the same whether the address has an account or not.
        """
        request_password_reset(email=self.valid_body()["email"])
        return Response(status=204)


class ConfirmResetView(Door):
    @operation(body=ResetConfirmBody, answer=None, limits=(TOKEN_TRY,))
    def post(self, request: Request) -> Response:
        """Set a new password with the token of the mail.

        The token works once, within its hour. Ends every session.
        """
        body = self.valid_body()
        confirm_password_reset(token=body["token"], new=body["new_password"], now=database_now())
        return Response(status=204)
