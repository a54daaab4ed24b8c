"""Sign in, stay signed in, sign out."""

from dataclasses import asdict

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.doors import Door
from accounts.api.serializers import PairOut, RefreshBody, SignedInOut, SignInBody
from accounts.services.sessions import refresh_session, sign_in, sign_out
from config.api import ratelimit
from config.api.addresses import client_address
from config.api.operations import operation
from config.api.ratelimit import REFRESH, SIGN_IN, SIGN_IN_ADDRESS
from config.errors import Code


class SignInView(Door):
    @operation(
        errors=(Code.INVALID_CREDENTIALS,),
        body=SignInBody,
        answer=SignedInOut,
        status=200,
        limits=(SIGN_IN, SIGN_IN_ADDRESS),
    )
    def post(self, request: Request) -> Response:
        """Sign in: a pair of tokens for an e-mail address and a password.

        Only failures count towards the limit.
        """
        body = self.valid_body()
        signed_in = sign_in(
            email=body["email"],
            password=body["password"],
            otp=body["otp"] or "",
            address=client_address(request._request),
            user_agent=request.headers.get("User-Agent", ""),
        )
        ratelimit.forgive(request)
        return Response(SignedInOut({**asdict(signed_in.pair), "user": signed_in.user}).data)


class RefreshView(Door):
    @operation(errors=(Code.TOKEN_INVALID,), body=RefreshBody, answer=PairOut, status=200, limits=(REFRESH,))
    def post(self, request: Request) -> Response:
        """Spend a refresh token for a new pair.

        A token works once. Showing a spent one again ends the whole session, for whoever holds its tokens: a client
        that refreshes from several places at once must let one of them do it.
        """
        pair = refresh_session(refresh=self.valid_body()["refresh"])
        return Response(PairOut(asdict(pair)).data)


class SignOutView(Door):
    @operation(errors=(Code.TOKEN_INVALID,), body=RefreshBody, answer=None, limits=(REFRESH,))
    def post(self, request: Request) -> Response:
        """End the session of a refresh token, its access tokens included.

        The refresh token is all that is needed. Again is no error.
        """
        sign_out(refresh=self.valid_body()["refresh"])
        return Response(status=204)
