"""Sign in, stay signed in, sign out."""

from dataclasses import asdict

from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller, session_of
from accounts.api.doors import Door
from accounts.api.serializers import PairOut, ReauthenticateBody, RefreshBody, SignedInOut, SignInBody
from accounts.services import entrance
from accounts.services.sessions import open_session, reauthenticate, refresh_session, sign_out
from config.api import ratelimit
from config.api.addresses import client_address
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.ratelimit import OWN_PASSWORD, REFRESH, SIGN_IN, SIGN_IN_ADDRESS
from config.api.views import ApiView
from config.errors import Code


class SignInView(Door):
    @operation(
        name="createToken",
        errors=(Code.INVALID_CREDENTIALS, Code.OTP_REQUIRED),
        body=SignInBody,
        answer=SignedInOut,
        status=200,
        limits=(SIGN_IN, SIGN_IN_ADDRESS),
    )
    def post(self, request: Request) -> Response:
        """Sign in: a pair of tokens for an e-mail address and a password, and a one-time code where there is a device.

        Without the code an account with a second factor answers OTP_REQUIRED: the same call again, with `otp`. Only
        failures count towards the limits. An account that many fail to enter lets strange places try less often.
        """
        body, page = self.valid_body(), request._request
        otp = body["otp"] or ""
        proven = entrance.prove_password(page, email=body["email"], password=body["password"])
        with entrance.trying_code(page, user=proven.user, otp=otp):
            signed_in = open_session(
                proven=proven,
                otp=otp,
                address=client_address(page),
                user_agent=request.headers.get("User-Agent", ""),
            )
        answer = Response(SignedInOut({**asdict(signed_in.pair), "user": signed_in.user}).data)
        entrance.remember_device(page, answer, user=signed_in.user)
        return answer


class ReauthenticateView(ApiView):
    @operation(
        errors=(Code.INVALID_CREDENTIALS, Code.OTP_REQUIRED),
        body=ReauthenticateBody,
        answer=PairOut,
        status=200,
        limits=(OWN_PASSWORD,),
        idempotency=Mode.OFF,
    )
    def post(self, request: Request) -> Response:
        """Prove again who you are, for a call that answered REAUTHENTICATION_REQUIRED.

        Answers with a new pair of tokens for the same session; the refresh token before it is spent.
        """
        body, page = self.valid_body(), request._request
        otp = body["otp"] or ""
        proven = entrance.prove_own_password(user=caller(request), password=body["password"])
        ratelimit.forgive(request)
        with entrance.trying_code(page, user=proven.user, otp=otp):
            pair = reauthenticate(proven=proven, session_id=session_of(request), otp=otp)
        return Response(PairOut(asdict(pair)).data)


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
