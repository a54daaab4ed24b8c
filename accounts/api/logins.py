"""Signing in through a provider: a browser's way there and back, and the session at its end."""

from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseRedirect
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.parsers import FormParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.doors import Door
from accounts.api.serializers import COUNTRY, LONGEST_SECRET, NAME, REGION, SignedInOut
from accounts.models import Login
from accounts.oidc.providers import provider_named, providers
from accounts.services import entrance
from accounts.services.details import NAME_LENGTH
from accounts.services.logins import note_failure, recognise, sign_in_with, unlink
from accounts.services.sessions import InvalidCredentials
from accounts.services.sign_in_attempts import begin_sign_in, end_sign_in
from config.api.addresses import client_address
from config.api.operations import operation
from config.api.parsers import StrictJSONParser
from config.api.ratelimit import TOKEN_TRY, By, Policy
from config.api.views import ApiViewSet
from config.clock import database_now
from config.errors import Code

# Each costs a row and a question to somebody else.
TRIP = Policy("sign_in_trip", 60, 15 * 60, By.ADDRESS, survives_redis=True)
# Sent back by the browser that began, along a link from another site: for minutes, to these addresses, to nobody else.
BROWSER_COOKIE = "outlast_sign_in"
COOKIE_PATH = "/api/v1/auth/"
COOKIE_SECONDS = 15 * 60


class ProviderOut(serializers.Serializer[Any]):
    """Somebody to sign in through."""

    id = serializers.CharField()
    name = serializers.CharField()
    begin = serializers.SerializerMethodField(help_text="Where to send the browser, with the query of that call.")

    def get_begin(self, provider: Any) -> str:
        """A whole address."""
        return f"{settings.PUBLIC_URL}/api/v1/auth/{provider.id}/begin"


class BeginQuery(serializers.Serializer[Any]):
    code_challenge = serializers.CharField(
        max_length=43, help_text="SHA-256 of a verifier that only your client knows, in base64url without padding."
    )
    return_to = serializers.CharField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="One of SIGN_IN_RETURNS; left out: the first of them.",
    )
    anew = serializers.BooleanField(
        required=False,
        default=False,
        help_text="Have the provider ask who it is, also of somebody who is signed in there: for a fresh sign-in.",
    )


class CallbackQuery(serializers.Serializer[Any]):
    state = serializers.CharField(max_length=LONGEST_SECRET, required=False, default="", allow_blank=True)
    code = serializers.CharField(max_length=4 * LONGEST_SECRET, required=False, default="", allow_blank=True)
    error = serializers.CharField(max_length=200, required=False, default="", allow_blank=True)
    iss = serializers.CharField(max_length=500, required=False, default="", allow_blank=True)


class ProfileOfNewBody(serializers.Serializer[Any]):
    """What somebody new says about themselves."""

    display_name = serializers.CharField(max_length=NAME_LENGTH)
    date_of_birth = serializers.DateField()
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2, as US.")
    region = serializers.CharField(max_length=10, required=False, allow_blank=True, default="")

    values = {"display_name": NAME, "country": COUNTRY, "region": REGION}


class SocialBody(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=LONGEST_SECRET, help_text="That came with the browser.")
    verifier = serializers.CharField(max_length=LONGEST_SECRET, help_text="Whose hash you gave at the beginning.")
    otp = serializers.CharField(
        max_length=20, required=False, allow_blank=True, allow_null=True, default="", help_text="As at sign-in."
    )
    profile = ProfileOfNewBody(required=False, allow_null=True, default=None)

    examples = {"code": "example-code-of-the-way-back"}


class LoginOut(serializers.ModelSerializer[Login]):
    """A way in through a provider."""

    class Meta:
        model = Login
        fields = ["id", "provider", "created_at", "last_used_at"]
        read_only_fields = fields


class ProvidersView(Door):
    @operation(name="listSignInProviders", answer=ProviderOut(many=True), summary="List who to sign in through")
    def get(self, request: Request) -> Response:
        """Google, Apple and others, as far as they are set up."""
        return Response(ProviderOut(list(providers().values()), many=True).data)


class BeginView(Door):
    @operation(
        name="beginSocialSignIn",
        errors=(Code.NOT_FOUND, Code.PROVIDER_ERROR), query=BeginQuery, answer=None, status=302, limits=(TRIP,),
        summary="Begin to sign in through a provider",
    )  # fmt: skip
    def get(self, request: Request, provider: str) -> HttpResponseRedirect:
        """Sends the browser to the provider. It comes back to `return_to` with `code`, or with `error`.

        `error` is SIGN_IN_CANCELLED, SIGN_IN_FAILED or PROVIDER_ERROR. After REAUTHENTICATION_REQUIRED, somebody
        without a password comes here with `anew=true`.
        """
        asked = self.valid_query()
        departure = begin_sign_in(
            provider=provider_named(provider),
            return_to=asked["return_to"],
            challenge=asked["code_challenge"],
            anew=asked["anew"],
            now=database_now(),
        )
        answer = _sent_to(departure.address)
        answer.set_cookie(
            BROWSER_COOKIE,
            departure.browser,
            max_age=COOKIE_SECONDS,
            path=COOKIE_PATH,
            secure=settings.SESSION_COOKIE_SECURE,
            httponly=True,
            samesite="Lax",
        )
        return answer


class CallbackView(Door):
    parser_classes = (StrictJSONParser, FormParser)
    # RFC 6749, 4.1.2: providers add what they like, and clients let it be.
    ignores_unknown = True

    @operation(
        name="returnFromProvider",
        errors=(Code.NOT_FOUND, Code.SIGN_IN_FAILED), query=CallbackQuery, answer=None, status=302, limits=(TRIP,),
        summary="Come back from a provider",
    )  # fmt: skip
    def get(self, request: Request, provider: str) -> HttpResponseRedirect:
        """For browsers that a provider sends back; sends them on to the client."""
        said = self.valid_query()
        address = end_sign_in(
            provider=provider_named(provider),
            state=said["state"],
            code=said["code"],
            error=said["error"],
            issuer=said["iss"],
            browser=request.COOKIES.get(BROWSER_COOKIE, ""),
        )
        answer = _sent_to(address)
        answer.delete_cookie(BROWSER_COOKIE, path=COOKIE_PATH, samesite="Lax")
        return answer

    @operation(
        name="returnFromProviderByForm",
        errors=(Code.NOT_FOUND,), body=None, form=CallbackQuery, answer=None, status=303, limits=(TRIP,),
        summary="Come back from a provider that sends a form",
    )  # fmt: skip
    def post(self, request: Request, provider: str) -> HttpResponseRedirect:
        """The same, for Apple. A form from another site comes without our cookie; the link it becomes has it."""
        provider_named(provider)
        checked = CallbackQuery(data=request.data)
        checked.is_valid(raise_exception=True)
        said = {name: value for name, value in checked.validated_data.items() if value}
        answer = _sent_to(f"{request.path}?{urlencode(said)}")
        answer.status_code = 303
        return answer


class SocialSignInView(Door):
    @operation(
        name="createSocialToken",
        errors=(
            Code.SIGN_IN_FAILED, Code.INVALID_CREDENTIALS, Code.OTP_REQUIRED, Code.PROFILE_INCOMPLETE,
            Code.EMAIL_NOT_VERIFIED, Code.EMAIL_TAKEN, Code.NOT_ELIGIBLE, Code.NOT_FOUND,
        ),
        body=SocialBody, answer=SignedInOut, status=200, limits=(TOKEN_TRY,),
        summary="Sign in with the code of a provider's sign-in",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A pair of tokens for the code that came back with the browser, within ten minutes.

        OTP_REQUIRED and PROFILE_INCOMPLETE leave the code good: the same call again, with `otp` or `profile`. An
        account is linked where the provider vouches for its address and the address was proved to us, too; somebody
        new gets an account once the profile is given.
        """
        body, page = self.valid_body(), request._request
        otp = body["otp"] or ""
        known = recognise(code=body["code"], verifier=body["verifier"])

        def enter() -> Any:
            try:
                return sign_in_with(
                    known=known,
                    otp=otp,
                    profile=body["profile"],
                    address=client_address(page),
                    user_agent=request.headers.get("User-Agent", ""),
                    now=database_now(),
                )
            except InvalidCredentials:
                note_failure(arrival=known.arrival, why="account")
                raise

        if known.user is None:
            signed_in = enter()
        else:
            with entrance.trying_code(page, user=known.user, otp=otp):
                signed_in = enter()
        answer = Response(SignedInOut({**asdict(signed_in.pair), "user": signed_in.user}).data)
        entrance.remember_device(page, answer, user=signed_in.user)
        return answer


class OwnLoginsViewSet(ListModelMixin, ApiViewSet):
    """The providers through which the caller signs in."""

    serializer_class = LoginOut
    queryset = Login.objects.none()

    def get_queryset(self) -> QuerySet[Login]:
        """Their own alone."""
        return Login.objects.filter(user=caller(self.request)).order_by("id")

    @operation(summary="List the own logins")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Through whom, since when, and when last. One is added by signing in through another provider."""
        return super().list(request, *args, **kwargs)

    @operation(errors=(Code.INVALID_TRANSITION,), body=None, answer=None, fresh=True, summary="Take a login away")
    def destroy(self, request: Request, pk: str) -> Response:
        """Refused for the only way in: somebody without a password sets one first, by a reset."""
        unlink(user=caller(request), login_id=int(pk))
        return Response(status=204)


def _sent_to(address: str) -> HttpResponseRedirect:
    """Where the code in the address is told to nobody else."""
    answer = _Redirect(address)
    answer["Referrer-Policy"] = "no-referrer"
    return answer


class _Redirect(HttpResponseRedirect):
    """To an address that the settings or the provider's own discovery document gave us."""

    allowed_schemes = ["http", "https"]
