"""Money that passes by hand, for finance: written down by one, confirmed or turned down by another."""

from typing import Any

from django.db.models import Prefetch, QuerySet
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.idempotency import Mode
from config.api.operations import operation
from config.api.pagination import KeysetPagination
from config.api.parsers import StrictJSONParser
from config.api.ratelimit import STAFF
from config.api.views import ApiView, ReadOnlyViewSet
from config.clock import database_now
from config.errors import Code
from config.money import CURRENCIES
from config.reasons import LONGEST_REASON
from payments.models import Evidence, ManualMethod, ManualRecord, ManualState
from payments.models.manual import LARGEST_SCAN
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.manual.evidence import MOST_FILES, Scan
from payments.services.manual.incoming import LARGEST_AMOUNT, record_payment
from payments.services.manual.records import LONGEST_NOTE, LONGEST_REFERENCE, Handover

# The files, and the words around them.
LONGEST_FORM = MOST_FILES * LARGEST_SCAN + 64 * 1024

REFUSALS = (
    Code.NOT_FOUND, Code.FORBIDDEN, Code.INVALID_TRANSITION, Code.VERSION_CONFLICT, Code.PRIZE_NOT_DUE,
    Code.REFUND_NOT_ALLOWED, Code.REFUND_TOO_LARGE, Code.CHARGE_DISPUTED,
)  # fmt: skip


class EvidenceOut(serializers.ModelSerializer[Evidence]):
    """A scan that shows it; the file itself is fetched in the back office."""

    class Meta:
        model = Evidence
        fields = ["id", "name", "content_type", "size", "sha256", "added_at"]
        read_only_fields = fields


class ManualRecordOut(serializers.ModelSerializer[ManualRecord]):
    """One passing of money: of a payment or a prize sent back (in), or of a refund or a payout (out)."""

    payment = serializers.IntegerField(source="payment_id", read_only=True, allow_null=True)
    request = serializers.SerializerMethodField()
    refund = serializers.IntegerField(source="refund_id", read_only=True, allow_null=True)
    payout = serializers.IntegerField(source="payout_id", read_only=True, allow_null=True)
    correction = serializers.IntegerField(
        source="correction_id", read_only=True, allow_null=True, help_text="Of a prize, which its winner sent back."
    )
    recorded_by = serializers.IntegerField(source="recorded_by_id", read_only=True)
    decided_by = serializers.IntegerField(source="decided_by_id", read_only=True, allow_null=True)
    evidence = EvidenceOut(many=True, read_only=True)

    class Meta:
        model = ManualRecord
        fields = [
            "id", "payment", "request", "refund", "payout", "correction", "method", "reference", "amount_cents",
            "currency", "passed_at", "note", "status", "recorded_by", "recorded_at", "decided_by", "decided_at",
            "decision_reason", "evidence",
        ]  # fmt: skip
        read_only_fields = fields

    def get_request(self, record: ManualRecord) -> int | None:
        """The request that was paid for; null for money that left."""
        return None if record.payment is None else record.payment.request_id


class HandoverBody(serializers.Serializer[Any]):
    """How money passed. A cheque or a transfer needs evidence, which goes into a form."""

    method = serializers.ChoiceField(ManualMethod.choices)
    reference = serializers.CharField(
        max_length=LONGEST_REFERENCE, help_text="Number of the receipt, the cheque, or the bank's own."
    )
    amount_cents = serializers.IntegerField(min_value=1, max_value=LARGEST_AMOUNT, help_text="What really came.")
    currency = serializers.CharField(min_length=3, max_length=3, help_text="Of the money that came.")
    passed_at = serializers.DateTimeField(help_text="When it changed hands.")
    note = serializers.CharField(max_length=LONGEST_NOTE, required=False, allow_blank=True, default="")

    values = {"currency": {"enum": sorted(CURRENCIES)}}


class HandoverForm(HandoverBody):
    """The same with its evidence: PDF, PNG or JPEG, by their first bytes."""

    evidence = serializers.ListField(
        child=serializers.FileField(max_length=255, allow_empty_file=True),
        max_length=MOST_FILES,
        required=False,
        default=list,
    )


class RejectRecordBody(serializers.Serializer[Any]):
    """Why it does not count."""

    reason = serializers.CharField(max_length=LONGEST_REASON)


class ManualRecordFilter(serializers.Serializer[Any]):
    """Which records to list."""

    status = serializers.ChoiceField(ManualState.choices, required=False)


class RecordPaymentView(ApiView):
    """Money in hand for a request."""

    permission_classes = [IsFinance]
    parser_classes = (StrictJSONParser, MultiPartParser)
    limits = (STAFF,)
    form_limit = LONGEST_FORM

    @operation(
        name="recordManualPayment",
        body=HandoverBody,
        form=HandoverForm,
        answer=ManualRecordOut,
        status=201, is_located=True,
        errors=(
            Code.NOT_FOUND, Code.FORBIDDEN, Code.PAYMENT_NOT_DUE, Code.VERSION_CONFLICT, Code.REFERENCE_USED,
            Code.PAYLOAD_TOO_LARGE, Code.PROVIDER_ERROR,
        ),
        # An open payment page is closed first, which is asked of its provider.
        idempotency=Mode.TWO_PHASE,
        moves_money=True,
        summary="Record a payment made by hand",
        fresh=True,
    )  # fmt: skip
    def post(self, request: Call, pk: str) -> Response:
        """Write down cash, a cheque or a transfer; it counts once another person of finance has confirmed it.

        Of any request that was ever approved, also one that is paid, withdrawn or expired: what the money becomes is
        decided when it is confirmed. A payment page that is open is closed first.
        """
        body = self.valid_body()
        amount_cents, currency = body.pop("amount_cents"), body.pop("currency")
        scans = tuple(Scan(file.name, _read(file)) for file in body.pop("evidence", ()))
        record = record_payment(
            request_id=int(pk),
            handover=Handover(**body, evidence=scans),
            amount_cents=amount_cents,
            currency=currency,
            by=caller(request),
            now=database_now(),
        )
        return Response(
            ManualRecordOut(record).data, status=201, headers={"Location": f"/api/v1/manual-records/{record.pk}"}
        )


class ManualRecordViewSet(ReadOnlyViewSet):
    """What was written down, and waits or is decided."""

    family = "finance"
    queryset = ManualRecord.objects.all()
    serializer_class = ManualRecordOut
    pagination_class = KeysetPagination
    permission_classes = [IsFinance]

    def get_queryset(self) -> QuerySet[ManualRecord]:
        """With what is shown of each; the scans stay where they are."""
        scans = Evidence.objects.defer("content")
        return ManualRecord.objects.select_related("payment").prefetch_related(Prefetch("evidence", scans))

    def filter_queryset(self, queryset: Any) -> Any:
        """The list alone is filtered."""
        return queryset.filter(**self.valid_query()) if self.action == "list" else queryset

    @operation(query=ManualRecordFilter, summary="List records of money by hand")
    def list(self, request: Call) -> Response:
        """All of them, newest first."""
        return super().list(request)

    @operation(summary="Show a record of money by hand")
    def retrieve(self, request: Call, pk: str) -> Response:
        """One record."""
        return super().retrieve(request, pk)

    @action(detail=True, methods=["post"])
    @operation(
        body=None,
        answer=ManualRecordOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        # The word is committed before what follows from it is looked up.
        idempotency=Mode.TWO_PHASE,
        moves_money=True,
        summary="Confirm a record of money by hand",
        fresh=True,
    )
    def confirm(self, request: Call, pk: str) -> Response:
        """Give the second name: a payment is booked, and buys its place or is held; a refund or a prize is out.

        Never by who recorded it, nor by the player whose money it is.
        """
        confirm_record(record_id=self.get_object().pk, by=caller(request))
        return self._shown()

    @action(detail=True, methods=["post"])
    @operation(
        body=RejectRecordBody,
        answer=ManualRecordOut,
        status=200,
        errors=REFUSALS,
        limits=(STAFF,),
        idempotency=Mode.TWO_PHASE,
        moves_money=True,
        summary="Turn down a record of money by hand",
    )
    def reject(self, request: Call, pk: str) -> Response:
        """It has not passed, or not like that; its reference is free again. Never by who recorded it."""
        reject_record(record_id=self.get_object().pk, by=caller(request), reason=self.valid_body()["reason"])
        return self._shown()

    def _shown(self) -> Response:
        return Response(ManualRecordOut(self.get_object()).data)


def _read(file: Any) -> bytes:
    """At most one byte more than may be kept: the rest is not read at all."""
    content: bytes = file.read(LARGEST_SCAN + 1)
    return content
