"""The caller's second factor: a device for one-time codes, and recovery codes for when it is lost."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller, session_of
from accounts.services.second_factor import (
    begin_setup,
    confirm_setup,
    renew_recovery_codes,
    state_of,
    turn_off,
)
from config.api import ratelimit
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.ratelimit import WRITE, By, Policy
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code

# Of a secret that only the caller knows: nobody guesses here, this is against clumsy clients.
CONFIRM = Policy("totp_confirm", 20, 15 * 60, By.USER, survives_redis=True)


class TotpOut(serializers.Serializer[Any]):
    enabled = serializers.BooleanField(source="is_on", help_text="Whether sign-in asks for a one-time code.")
    mandatory = serializers.BooleanField(source="is_required", help_text="Staff cannot turn it off.")
    since = serializers.DateTimeField(allow_null=True)
    recovery_codes_left = serializers.IntegerField()


class TotpSetupOut(serializers.Serializer[Any]):
    secret = serializers.CharField(help_text="Base32, for typing it into the device.")
    uri = serializers.CharField(help_text="The `otpauth` address that the QR code shows.")
    qr_svg = serializers.CharField(help_text="The QR code, as SVG.")


class TotpCodeBody(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=20, help_text="What the device shows now.")

    examples = {"code": "123456"}


class RecoveryCodesOut(serializers.Serializer[Any]):
    recovery_codes = serializers.ListField(
        child=serializers.CharField(), help_text="Ten, each good for one sign-in. Shown this once."
    )


class TotpView(ApiView):
    @operation(answer=TotpOut, summary="Show the own second factor")
    def get(self, request: Request) -> Response:
        """Whether there is one, since when, and how many recovery codes are left."""
        return Response(TotpOut(state_of(caller(request))).data)

    @operation(
        name="setUpTotp",
        body=None, answer=TotpSetupOut, status=201, limits=(WRITE,), idempotency=Mode.OFF, fresh=True,
        summary="Begin to set up a second factor",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A new secret for a device. It counts once it is confirmed with a code; a device before it counts until then.

        Beginning again draws another secret.
        """
        return Response(TotpSetupOut(begin_setup(user=caller(request))).data, status=201)

    @operation(body=None, answer=None, fresh=True, summary="Turn the own second factor off")
    def delete(self, request: Request) -> Response:
        """Go on with the password alone; again is no error. Refused to staff where they need a second factor.

        Ends every other session, and every access token at once: refresh yours.
        """
        turn_off(user=caller(request), session_id=session_of(request))
        return Response(status=204)


class ConfirmTotpView(ApiView):
    @operation(
        errors=(Code.INVALID_TRANSITION,), body=TotpCodeBody, answer=RecoveryCodesOut, status=200, limits=(CONFIRM,),
        idempotency=Mode.OFF, fresh=True, summary="Confirm the set-up of a second factor",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Let the device count, with a code that it shows; answers with ten new recovery codes.

        Ends every other session, and every access token at once: refresh yours.
        """
        codes = confirm_setup(
            user=caller(request), code=self.valid_body()["code"], now=database_now(), session_id=session_of(request)
        )
        ratelimit.forgive(request)
        return Response({"recovery_codes": codes})


class RecoveryCodesView(ApiView):
    @operation(
        name="createRecoveryCodes",
        errors=(Code.INVALID_TRANSITION,), body=None, answer=RecoveryCodesOut, status=201, limits=(WRITE,),
        idempotency=Mode.OFF, fresh=True, summary="Make new recovery codes",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Ten new codes; the old ones are worth nothing."""
        return Response({"recovery_codes": renew_recovery_codes(user=caller(request))}, status=201)
