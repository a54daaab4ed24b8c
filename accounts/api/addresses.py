"""Changing the address somebody signs in with."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.doors import Door
from accounts.api.serializers import ChangeEmailBody, TokenBody, UserAnswer
from accounts.services import entrance
from accounts.services.addresses import confirm_email_change, request_email_change, undo_email_change
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.ratelimit import MOVE_TO, OWN_PASSWORD, TOKEN_TRY
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code


class ChangeEmailView(ApiView):
    # In two phases, so that what the audit learns of a wrong password outlives the refusal.
    @operation(
        name="changeEmail",
        body=ChangeEmailBody, answer=None, limits=(OWN_PASSWORD, MOVE_TO), fresh=True, idempotency=Mode.TWO_PHASE
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Ask for another address.

        Mails a link to the new address, good for a day: the address changes once it was followed. The old one is mailed
        a link that takes it back, for three days. The answer is the same whether the new address has an account or not.
        """
        body = self.valid_body()
        user = caller(request)
        with entrance.giving_password(user=user, field="password"):
            request_email_change(user=user, email=body["email"], password=body["password"], now=database_now())
        return Response(status=204)


class ConfirmEmailView(Door):
    @operation(errors=(Code.EMAIL_TAKEN,), body=TokenBody, answer=UserAnswer, status=200, limits=(TOKEN_TRY,))
    def post(self, request: Request) -> Response:
        """Make the new address one's own, with the token of the mail that went there.

        Ends every session and every token at once: sign in again, with the new address.
        """
        user = confirm_email_change(token=self.valid_body()["token"], now=database_now())
        return Response(UserAnswer({"user": user}).data)


class UndoEmailView(Door):
    @operation(errors=(Code.EMAIL_TAKEN,), body=TokenBody, answer=None, limits=(TOKEN_TRY,))
    def post(self, request: Request) -> Response:
        """Take a change of address back, with the token of the mail that went to the old one.

        For somebody who did not ask for it: voids the password, ends every session and every token, and mails a link
        that sets a new password.
        """
        undo_email_change(token=self.valid_body()["token"], now=database_now())
        return Response(status=204)
