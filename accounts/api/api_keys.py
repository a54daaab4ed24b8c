"""Keys with which services call for somebody who signed in; only that person makes, replaces and revokes them."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller, claims_of
from accounts.api.serializers import NAME
from accounts.models import ApiKey
from accounts.models.api_key import NAME_LENGTH
from accounts.services.api_keys import MadeKey, make_key, revoke_key, rotate_key
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.ratelimit import By, Policy
from config.api.scopes import SCOPES
from config.api.views import ApiViewSet
from config.clock import database_now
from config.errors import Code

MAKE_KEY = Policy("make_api_key", 30, 60 * 60, By.USER, survives_redis=True)


class ApiKeyOut(serializers.ModelSerializer[ApiKey]):
    """A key, without what opens anything."""

    scopes = serializers.ListField(child=serializers.ChoiceField(list(SCOPES)))
    replaces = serializers.IntegerField(source="replaces_id", allow_null=True, help_text="The key it was made for.")
    is_good = serializers.BooleanField(help_text="False once it expired, or its owner's password or role changed.")

    class Meta:
        model = ApiKey
        fields = [
            "id",
            "name",
            "prefix",
            "scopes",
            "is_good",
            "replaces",
            "created_at",
            "expires_at",
            "last_used_at",
            "last_used_address",
        ]
        read_only_fields = fields


class NewApiKeyOut(ApiKeyOut):
    """A key just made, with its text."""

    key = serializers.CharField(help_text="Sent as `Authorization: Api-Key …`. Shown this once.")

    class Meta(ApiKeyOut.Meta):
        fields = [*ApiKeyOut.Meta.fields, "key"]
        read_only_fields = fields


class ApiKeyBody(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_LENGTH, help_text="What it is for.")
    scopes = serializers.ListField(
        child=serializers.ChoiceField(list(SCOPES)), min_length=1, max_length=len(SCOPES), help_text="What it may do."
    )
    expires_at = serializers.DateTimeField(
        required=False, allow_null=True, default=None, help_text="Within a year; left out: in 90 days."
    )

    values = {"name": NAME}


class ApiKeysViewSet(ListModelMixin, ApiViewSet):
    """The caller's own keys, the newest first. None of this can be done with a key."""

    serializer_class = ApiKeyOut
    queryset = ApiKey.objects.none()

    def get_queryset(self) -> QuerySet[ApiKey]:
        """Those that were not revoked."""
        return ApiKey.objects.with_state().filter(user=caller(self.request), revoked_at=None).order_by("-id")

    @operation(summary="List the own API keys")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """What each may do, until when, and when and from where it was used last."""
        return super().list(request, *args, **kwargs)

    @operation(
        errors=(Code.KEY_LIMIT_REACHED, Code.TOKEN_INVALID), body=ApiKeyBody, answer=NewApiKeyOut, status=201,
        limits=(MAKE_KEY,), idempotency=Mode.OFF, fresh=True, summary="Make an API key",
    )  # fmt: skip
    def create(self, request: Request) -> Response:
        """A key for a service, with the scopes it needs and no more than the caller's role allows.

        Its text is in this answer alone. It ends early when the caller's password, address, role or second factor
        changes. The caller is told by mail.
        """
        made = make_key(user=caller(request), claims=claims_of(request), now=database_now(), **self.valid_body())
        return _shown(made)

    @operation(body=None, answer=None, summary="Revoke an API key")
    def destroy(self, request: Request, pk: str) -> Response:
        """End a key at once."""
        revoke_key(user=caller(request), key_id=int(pk))
        return Response(status=204)

    @operation(
        errors=(Code.INVALID_TRANSITION, Code.KEY_LIMIT_REACHED, Code.TOKEN_INVALID),
        body=None, answer=NewApiKeyOut, status=201,
        limits=(MAKE_KEY,), idempotency=Mode.OFF, fresh=True, summary="Replace an API key",
    )  # fmt: skip
    def rotate(self, request: Request, pk: str) -> Response:
        """A new key with the same name, scopes and length of life. The old one is good for 24 hours more."""
        made = rotate_key(user=caller(request), claims=claims_of(request), key_id=int(pk), now=database_now())
        return _shown(made)


def _shown(made: MadeKey) -> Response:
    key = ApiKey.objects.with_state().get(pk=made.key.pk)
    return Response({**ApiKeyOut(key).data, "key": made.text}, status=201)
