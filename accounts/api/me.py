"""The caller's own account."""

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.serializers import ProfileBody, UserOut
from accounts.services.closing import close_account
from accounts.services.profiles import update_profile
from config.api.operations import operation
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code


class MeView(ApiView):
    @operation(answer=UserOut, summary="Show the own account", scope="account:read")
    def get(self, request: Request) -> Response:
        """Who is signed in."""
        return Response(UserOut(caller(request)).data)

    @operation(body=ProfileBody, answer=UserOut, summary="Change the own account")
    def patch(self, request: Request) -> Response:
        """Change name, country or region; give a date of birth while there is none.

        Any other field is refused by name.
        """
        user = update_profile(user=caller(request), changes=self.valid_body(), now=database_now())
        return Response(UserOut(user).data)

    @operation(errors=(Code.INVALID_TRANSITION,), body=None, answer=None, summary="Close the own account", fresh=True)
    def delete(self, request: Request) -> Response:
        """Close the account for good.

        The person is anonymised and every session ends; payments, entries and picks stay. Refused to the last admin.
        """
        close_account(user=caller(request), now=database_now(), reason="asked by the person")
        return Response(status=204)
