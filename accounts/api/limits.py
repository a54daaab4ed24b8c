"""How the caller keeps to what they want: times without play, and limits of what a month may cost."""

from typing import Any

from django.db.models import QuerySet
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.models import Exclusion, ExclusionKind
from accounts.models.limits import COOLING_OFF, LONGEST, SELF_EXCLUSION_AT_LEAST
from accounts.services.exclusions import begin_exclusion
from accounts.services.spending import LARGEST, set_limit, states_of
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.views import ApiView, ApiViewSet
from config.clock import database_now
from config.errors import Code
from config.money import CURRENCIES

OWN_KINDS = ((ExclusionKind.COOLING_OFF, "Cooling off"), (ExclusionKind.SELF_EXCLUSION, "Self-exclusion"))


class ExclusionOut(serializers.ModelSerializer[Exclusion]):
    """A time without new places and payments. It is over after `until`; null: for good."""

    class Meta:
        model = Exclusion
        fields = ("id", "kind", "begins_at", "until", "reason")
        read_only_fields = fields
        extra_kwargs = {"reason": {"help_text": "Why staff decided it; empty where the player did."}}


def lasts(kind: ExclusionKind, types: list[str], shortest: int, longest: int) -> dict[str, Any]:
    """For the schema: how many days this kind may have."""
    days = {"type": types, "minimum": shortest, "maximum": longest}
    return {"properties": {"kind": {"const": str(kind)}, "days": days}}


class ExclusionBody(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=OWN_KINDS)
    days = serializers.IntegerField(
        allow_null=True,
        min_value=1,
        help_text="1 to 42 for a cooling-off; 180 to 3660 for a self-exclusion, or null: for good.",
    )

    examples = {"kind": "cooling_off", "days": 7}
    shape = {
        "oneOf": [
            lasts(ExclusionKind.COOLING_OFF, ["integer"], *COOLING_OFF),
            lasts(ExclusionKind.SELF_EXCLUSION, ["integer", "null"], SELF_EXCLUSION_AT_LEAST, LONGEST),
        ]
    }


class PendingLimitOut(serializers.Serializer[Any]):
    amount_cents = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    effective_at = serializers.DateTimeField()


class SpendingLimitOut(serializers.Serializer[Any]):
    """What holds in one currency, and what this month has come to."""

    currency = serializers.CharField()
    amount_cents = serializers.IntegerField(allow_null=True, help_text="What a month may cost at most; null: no limit.")
    spent_cents = serializers.IntegerField(help_text="Started or paid this month, less what came back of it.")
    left_cents = serializers.IntegerField(allow_null=True, help_text="Null without a limit.")
    month_ends_at = serializers.DateTimeField(source="month.ends_at")
    pending = PendingLimitOut(allow_null=True, help_text="A higher limit that waits.")


class SpendingLimitsOut(serializers.Serializer[Any]):
    limits = SpendingLimitOut(many=True, help_text="One for each currency in which a limit was ever set.")


class SpendingLimitBody(serializers.Serializer[Any]):
    currency = serializers.CharField(max_length=3, help_text="ISO 4217, such as usd.")
    amount_cents = serializers.IntegerField(
        allow_null=True, min_value=0, max_value=LARGEST, help_text="What a month may cost at most; null: no limit."
    )

    values = {"currency": {"enum": sorted(CURRENCIES)}}


class OwnExclusionsViewSet(ListModelMixin, ApiViewSet):
    """Exclusions of the caller, the newest first."""

    serializer_class = ExclusionOut
    pagination_class = KeysetPagination
    queryset = Exclusion.objects.none()

    def get_queryset(self) -> QuerySet[Exclusion]:
        """Their own alone, also those that are over."""
        return Exclusion.objects.of(caller(self.request).pk).order_by("-id")

    @operation(summary="List the own exclusions")
    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Every time in which the caller was kept out, or is. The last end counts."""
        return super().list(request, *args, **kwargs)

    @operation(body=ExclusionBody, answer=ExclusionOut, status=201, fresh=True, summary="Exclude oneself")
    def create(self, request: Request) -> Response:
        """Get no new place and pay for none, from this moment on. **There is no way back**, for staff neither.

        Requests that are not paid are withdrawn. Entries that are paid play on, with all of their picks.
        """
        body = self.valid_body()
        exclusion = begin_exclusion(user=caller(request), kind=ExclusionKind(body["kind"]), days=body["days"])
        return Response(ExclusionOut(exclusion).data, status=201)


class OwnSpendingLimitsView(ApiView):
    @operation(answer=SpendingLimitsOut, summary="Show the own spending limits")
    def get(self, request: Request) -> Response:
        """What holds, what waits, and what this month has come to, in each currency."""
        states = states_of(user_id=caller(request).pk, now=database_now())
        return Response(SpendingLimitsOut({"limits": states}).data)

    @operation(
        errors=(Code.LIMIT_PENDING,), body=SpendingLimitBody, answer=SpendingLimitOut,
        summary="Set a spending limit of one's own",
    )  # fmt: skip
    def put(self, request: Request) -> Response:
        """Say what a calendar month may cost at most, in one currency.

        A lower limit holds at once. A higher one, or none, holds seven days later; asking for the present one again
        takes it back.
        """
        body = self.valid_body()
        state = set_limit(
            user=caller(request), currency=body["currency"], amount_cents=body["amount_cents"], now=database_now()
        )
        return Response(SpendingLimitOut(state).data)
