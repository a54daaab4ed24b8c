"""Journals for accountants, for finance: which account of theirs is which of ours, batches, and their files."""

from typing import Any

from django.http import FileResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.errors import Code
from config.money import CURRENCIES
from payments.accounting.batches import make_batch, withdraw_batch
from payments.accounting.fetching import file_of
from payments.accounting.mapping import map_account
from payments.api.exports import FileRenderer
from payments.ledger.accounts import Kind
from payments.models import AccountingSystem, AccountMapping, BatchState, JournalBatch, JournalBatchDay


class AccountMappingOut(serializers.ModelSerializer[AccountMapping]):
    """Which account of theirs a kind of ours is; an empty provider or currency stands for all."""

    class Meta:
        model = AccountMapping
        fields = ["id", "system", "kind", "provider", "currency", "account", "tax_rate"]
        read_only_fields = fields


# For the schema: one line that begins with no sign of a formula. Space around it is cut off.
THEIR_NAME = r"^\s*[^\s\u0000=+@\uff1d\uff0b\uff0d\uff20-]([^\u0000\r\n\t]*[^\u0000\s])?\s*$"


class AccountMappingBody(serializers.Serializer[Any]):
    """The mapping of one kind of account. Without provider or currency it is that of all that have no own."""

    system = serializers.ChoiceField(AccountingSystem.choices)
    kind = serializers.ChoiceField(Kind.choices)
    provider = serializers.CharField(max_length=20, required=False, allow_blank=True, default="")
    # Blanks are no way to say all of them.
    currency = serializers.CharField(max_length=3, required=False, allow_blank=True, default="", trim_whitespace=False)
    account = serializers.CharField(max_length=150)
    tax_rate = serializers.CharField(max_length=50, required=False, allow_blank=True, default="Tax Exempt")

    values = {
        "currency": {"enum": ["", *sorted(CURRENCIES)]},
        "account": {"pattern": THEIR_NAME},
        "tax_rate": {"pattern": rf"{THEIR_NAME}|^\s*$"},
    }


class MappingFilter(serializers.Serializer[Any]):
    """Of which program."""

    system = serializers.ChoiceField(AccountingSystem.choices, required=False)


class JournalBatchDayOut(serializers.ModelSerializer[JournalBatchDay]):
    """What a batch has of a day: its lines after one, through another; `part` counts the batches that have some."""

    class Meta:
        model = JournalBatchDay
        fields = ["day", "part", "after_posting", "through_posting"]
        read_only_fields = fields


class JournalBatchOut(serializers.ModelSerializer[JournalBatch]):
    """One batch. `totals` is currency → debits and credits in minor units, lines, journals."""

    made_by = serializers.IntegerField(source="made_by_id", read_only=True, allow_null=True)
    withdrawn_by = serializers.IntegerField(source="withdrawn_by_id", read_only=True, allow_null=True)
    days = JournalBatchDayOut(many=True, read_only=True)

    class Meta:
        model = JournalBatch
        fields = [
            "id", "system", "number", "livemode", "status", "first_day", "through_day", "as_of_posting", "lines",
            "totals", "file_name", "sha256", "size", "code_version", "made_by", "made_at", "withdrawn_by",
            "withdrawn_at", "days",
        ]  # fmt: skip
        read_only_fields = fields


class JournalBatchBody(serializers.Serializer[Any]):
    """What to export: everything not exported yet through a day of the finance zone that is over; else yesterday."""

    system = serializers.ChoiceField(AccountingSystem.choices)
    through = serializers.DateField(required=False)

    examples = {"system": "xero"}


class WithdrawBatchBody(serializers.Serializer[Any]):
    """Why it is taken back."""

    reason = serializers.CharField(max_length=500)


class JournalBatchFilter(serializers.Serializer[Any]):
    """Which batches to list."""

    system = serializers.ChoiceField(AccountingSystem.choices, required=False)
    status = serializers.ChoiceField(BatchState.choices, required=False)


class AccountMappingsView(ApiView):
    """The accounts of the other programs."""

    family = "finance"
    permission_classes = [IsFinance]
    limits = (STAFF,)

    @operation(query=MappingFilter, answer=AccountMappingOut(many=True), summary="List mapped accounts")
    def get(self, request: Call) -> Response:
        """All of them."""
        rows = AccountMapping.objects.filter(**self.valid_query())
        return Response(AccountMappingOut(rows, many=True).data)

    @operation(
        name="saveAccountMapping",
        body=AccountMappingBody,
        answer=AccountMappingOut,
        errors=(Code.FORBIDDEN,),
        summary="Map an account",
        scope=None,
    )
    def put(self, request: Call) -> Response:
        """From the next batch on. What was exported stays as it is."""
        return Response(AccountMappingOut(map_account(**self.valid_body(), by=caller(request))).data)


class JournalBatchViewSet(ReadOnlyViewSet):
    """All batches."""

    family = "finance"
    queryset = JournalBatch.objects.defer("content").prefetch_related("days")
    serializer_class = JournalBatchOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        return queryset.filter(**self.valid_query()) if self.action == "list" else queryset

    @operation(query=JournalBatchFilter, summary="List journal batches")
    def list(self, request: Call) -> Response:
        """Newest first."""
        return super().list(request)

    @operation(summary="Show a journal batch")
    def retrieve(self, request: Call, pk: str) -> Response:
        """What it has of which days."""
        return super().retrieve(request, pk)

    @operation(
        body=JournalBatchBody, answer=JournalBatchOut, status=201, is_located=True, limits=(STAFF,),
        errors=(Code.FORBIDDEN, Code.ALREADY_EXPORTED, Code.ACCOUNT_NOT_MAPPED, Code.SERVICE_UNAVAILABLE),
        summary="Export journals",
        # Where the books are is found out in a transaction of its own.
        idempotency=Mode.TWO_PHASE,
    )  # fmt: skip
    def create(self, request: Call) -> Response:
        """What was exported before is left out, what was corrected since is in it. Asking twice exports nothing twice.

        Refused while an account that has something to export is not mapped.
        """
        body = self.valid_body()
        batch = make_batch(
            system=AccountingSystem(body["system"]), through=body.get("through"), by=caller(request)
        )  # fmt: skip
        headers = {"Location": f"/api/v1/journal-batches/{batch.pk}"}
        return Response(JournalBatchOut(batch).data, status=201, headers=headers)

    @action(detail=True, methods=["post"])
    @operation(
        body=WithdrawBatchBody, answer=JournalBatchOut, limits=(STAFF,),
        errors=(Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.SECOND_NAME_NEEDED),
        summary="Withdraw a journal batch", scope=None,
    )  # fmt: skip
    def withdraw(self, request: Call, pk: str) -> Response:
        """The newest one, made by somebody else and never imported: its days are exported anew by the next."""
        found: JournalBatch = self.get_object()
        batch = withdraw_batch(batch_id=found.pk, by=caller(request), reason=self.valid_body()["reason"])
        return Response(JournalBatchOut(batch).data)


class JournalBatchFileView(ApiView):
    """The file of a batch."""

    family = "finance"
    permission_classes = [IsFinance]
    renderer_classes = [FileRenderer]
    has_path_parameters = True

    @operation(
        answer=None,
        media_types={"text/csv": OpenApiTypes.BINARY, "application/zip": OpenApiTypes.BINARY},
        errors=(Code.NOT_FOUND,),
        summary="Fetch the file of a journal batch",
    )
    def get(self, request: Call, pk: str) -> FileResponse:
        """A CSV, or a ZIP of several; the same bytes every time."""
        return file_of(get_object_or_404(JournalBatch, pk=int(pk)), by=caller(request))
