"""The queue of discrepancies, for finance: to read, to take on, and to act on, as far as its kind allows."""

from functools import cache
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from accounts.models import User
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code, invalid
from payments.ages import BUCKETS, BY_NAME, bucket_of
from payments.api.serializers import LARGEST_ID
from payments.api.write_offs import REFUSALS, ReasonBody, WriteOffOut
from payments.models import Discrepancy, DiscrepancyKind, DiscrepancyState
from payments.models.discrepancy import OPEN_STATES, URGENT
from payments.reconciliation.dispositions import Action
from payments.services.discrepancies import REASON_LENGTH, acknowledge, give, resolve
from payments.services.queue.acting import allocate, ask_again, refund
from payments.services.queue.allowed import allowed_actions
from payments.services.queue.foreign import mark_foreign
from payments.services.queue.write_offs import request_write_off

OF_MONEY = (*REFUSALS, Code.CHARGE_DISPUTED, Code.REFUND_TOO_LARGE, Code.REFUND_NOT_ALLOWED)
AGES = [(bucket.name, bucket.label) for bucket in BUCKETS]


class DiscrepancyOut(serializers.ModelSerializer[Discrepancy]):
    """One doubt about one thing. `ours` and `theirs` are flat facts of both sides; `actions` is what may be done."""

    owner = serializers.IntegerField(source="owner_id", read_only=True, allow_null=True)
    closed_by = serializers.IntegerField(source="closed_by_id", read_only=True, allow_null=True)
    first_run = serializers.IntegerField(source="first_run_id", read_only=True, allow_null=True)
    last_run = serializers.IntegerField(source="last_run_id", read_only=True, allow_null=True)
    details = serializers.DictField(read_only=True)
    ours = serializers.DictField(read_only=True)
    theirs = serializers.DictField(read_only=True)
    is_urgent = serializers.SerializerMethodField()
    age = serializers.SerializerMethodField()
    actions = serializers.SerializerMethodField()

    class Meta:
        model = Discrepancy
        fields = [
            "id", "kind", "object_key", "status", "is_urgent", "sentence", "suggestion", "ours", "theirs", "details",
            "amount_cents", "currency", "owner", "due_at", "age", "opened_at", "last_seen_at", "times_seen",
            "first_run", "last_run", "closed_at", "closed_by", "resolution", "actions",
        ]  # fmt: skip
        read_only_fields = fields

    def get_is_urgent(self, row: Discrepancy) -> bool:
        """Finance was told of it at once."""
        return row.kind in URGENT

    @extend_schema_field(serializers.ChoiceField(AGES))
    def get_age(self, row: Discrepancy) -> str:
        """Since when it is open, or was until it was closed."""
        return bucket_of(row.opened_at, row.closed_at or self.context["now"]()).name

    @extend_schema_field(serializers.ListField(child=serializers.ChoiceField([(str(one), str(one)) for one in Action])))
    def get_actions(self, row: Discrepancy) -> list[str]:
        """What may be done to a row of its kind; nothing to one that is closed."""
        return [str(one) for one in allowed_actions(row)]


class DiscrepancyFilter(serializers.Serializer[Any]):
    """Which rows to list."""

    status = serializers.ChoiceField(DiscrepancyState.choices, required=False)
    is_open = serializers.BooleanField(
        required=False, default=None, allow_null=True, help_text="Whether it still waits: open or acknowledged."
    )
    kind = serializers.ChoiceField(DiscrepancyKind.choices, required=False)
    urgent = serializers.BooleanField(required=False, default=None, allow_null=True)
    owner = serializers.IntegerField(min_value=1, max_value=LARGEST_ID, required=False)
    age = serializers.ChoiceField(AGES, required=False)
    object_key = serializers.CharField(max_length=300, required=False, help_text="What it is about: receipt:12.")


class ResolutionBody(serializers.Serializer[Any]):
    """How it was dealt with."""

    resolution = serializers.CharField(max_length=REASON_LENGTH)


class OwnerBody(serializers.Serializer[Any]):
    """Who looks after it from now on."""

    owner = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    reason = serializers.CharField(max_length=REASON_LENGTH, required=False, allow_blank=True, default="")


class DiscrepancyViewSet(ReadOnlyViewSet):
    """Everything that waits for a person, or did."""

    family = "finance"
    queryset = Discrepancy.objects.all()
    serializer_class = DiscrepancyOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def get_serializer_context(self) -> dict[str, Any]:
        """One instant for all ages of an answer, asked for when there is one to tell."""
        return {**super().get_serializer_context(), "now": cache(database_now)}

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        if self.action != "list":
            return queryset
        wanted = self.valid_query()
        names = {"status": "status", "kind": "kind", "owner": "owner_id", "object_key": "object_key"}
        queryset = queryset.filter(**{name: wanted[key] for key, name in names.items() if key in wanted})
        for key, column, values in (("is_open", "status__in", OPEN_STATES), ("urgent", "kind__in", URGENT)):
            if wanted[key] is not None:
                is_one = {column: values}
                queryset = queryset.filter(**is_one) if wanted[key] else queryset.exclude(**is_one)
        return queryset.filter(BY_NAME[wanted["age"]].of_rows(database_now())) if "age" in wanted else queryset

    @operation(query=DiscrepancyFilter, summary="List discrepancies")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a discrepancy")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One row, with both sides and what may be done to it."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(body=None, answer=DiscrepancyOut, status=200, errors=REFUSALS, limits=(STAFF,), summary="Look after one")
    def acknowledge(self, request: Call, pk: str) -> Response:
        """The caller looks after it. 409 where somebody else does already: of two at once, one has it."""
        acknowledge(discrepancy_id=self.get_object().pk, by=caller(request), take_over=False)
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=OwnerBody,
        answer=DiscrepancyOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Give one away",
        scope=None,
    )
    def give(self, request: Call, pk: str) -> Response:
        """A colleague of finance looks after it from now on, whoever did before."""
        body = self.valid_body()
        to = User.objects.filter(pk=body["owner"]).first()
        if to is None:
            raise invalid("owner", "There is no such person.")
        give(discrepancy_id=self.get_object().pk, to=to, by=caller(request), reason=body["reason"])
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=ResolutionBody,
        answer=DiscrepancyOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        summary="Resolve one",
        scope=None,
    )
    def resolve(self, request: Call, pk: str) -> Response:
        """Close it, and say how it was dealt with. No money moves by this; if any of it changes, there is a new row."""
        resolve(discrepancy_id=self.get_object().pk, by=caller(request), resolution=self.valid_body()["resolution"])
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=DiscrepancyOut,
        status=200,
        errors=(*OF_MONEY, Code.PROVIDER_ERROR),
        limits=(STAFF,),
        # What the provider answers is applied in transactions of its own.
        idempotency=Mode.TWO_PHASE,
        moves_money=True,
        summary="Ask the provider about one",
    )
    def resync(self, request: Call, pk: str) -> Response:
        """Ask what is true now, and apply the answer. Where the doubt is gone, the row is closed."""
        ask_again(discrepancy_id=self.get_object().pk, by=caller(request))
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=ReasonBody,
        answer=DiscrepancyOut,
        status=200,
        errors=OF_MONEY,
        limits=(STAFF,),
        moves_money=True,
        summary="Make the money a place",
        fresh=True,
    )
    def allocate(self, request: Call, pk: str) -> Response:
        """Money that waits becomes the price of the place it was paid for, if it is its fee to the cent."""
        allocate(discrepancy_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"])
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=ReasonBody,
        answer=DiscrepancyOut,
        status=200,
        errors=OF_MONEY,
        limits=(STAFF,),
        moves_money=True,
        summary="Give the money back",
        fresh=True,
    )
    def refund(self, request: Call, pk: str) -> Response:
        """All that is left goes back to where it came from; above the limit once somebody else approves the refund."""
        refund(discrepancy_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"])
        return self._shown()

    @action(detail=True, methods=["post"], url_path="mark-foreign")
    @operation(
        body=ReasonBody,
        answer=DiscrepancyOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        moves_money=True,
        summary="Mark it as not ours",
        fresh=True,
    )
    def mark_foreign(self, request: Call, pk: str) -> Response:
        """It is another business's: what lies in the books because of it is moved out, and no rule raises it again."""
        mark_foreign(discrepancy_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"])
        return self._shown()

    @action(detail=True, methods=["post"], url_path="write-off")
    @operation(
        body=ReasonBody,
        answer=WriteOffOut,
        status=201,
        is_located=True,
        errors=(*REFUSALS, Code.WRITE_OFF_TOO_LARGE),
        limits=(STAFF,),
        moves_money=True,
        summary="Ask for a write-off",
        fresh=True,
    )
    def write_off(self, request: Call, pk: str) -> Response:
        """Ask to give up what lies in the books because of it. Nothing is booked before somebody else approves it."""
        wish = request_write_off(
            discrepancy_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"]
        )
        return Response(WriteOffOut(wish).data, status=201, headers={"Location": f"/api/v1/write-offs/{wish.pk}"})

    def _shown(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)
