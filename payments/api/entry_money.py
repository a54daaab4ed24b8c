"""Where the money of an entry is, for finance: every place is paid, waived by a name, moved here, or free."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.views import ApiView
from config.errors import Code
from entries.models import Entry, EntryStatus, Request
from payments.models import Receipt, ReceiptState
from payments.queries import MoneySource, returns_with_money, with_money


class PayingReceiptOut(serializers.Serializer[Receipt]):
    """The money itself."""

    id = serializers.IntegerField()
    status = serializers.ChoiceField(ReceiptState.choices)
    amount_cents = serializers.IntegerField()
    currency = serializers.CharField()
    provider = serializers.CharField()
    charge_id = serializers.CharField()


class WaiverOut(serializers.Serializer[Request]):
    """Who let the player in without it, and why."""

    by = serializers.IntegerField(source="waived_by_id", allow_null=True)
    by_name = serializers.CharField(source="waived_by.display_name", default="")
    reason = serializers.CharField(source="waiver_reason")


class _WithWaiver(serializers.Serializer[Any]):
    money = serializers.ChoiceField(MoneySource.choices, source="money_source")
    waiver = serializers.SerializerMethodField()

    @extend_schema_field(WaiverOut(allow_null=True))
    def get_waiver(self, row: Any) -> dict[str, Any] | None:
        """Null where the fee was paid, or was none."""
        request = getattr(row, "request", row)
        return None if request.waived_by_id is None else dict(WaiverOut(request).data)


class ReturnMoneyOut(_WithWaiver):
    """A return that was bought."""

    request = serializers.IntegerField(source="pk")
    fee_cents = serializers.IntegerField()
    currency = serializers.CharField()
    receipt = serializers.IntegerField(source="receipt_id", allow_null=True)


class EntryMoneyOut(_WithWaiver):
    """An entry and its money."""

    entry = serializers.IntegerField(source="pk")
    request = serializers.IntegerField(source="request_id")
    pool = serializers.IntegerField(source="pool_id")
    user = serializers.IntegerField(source="user_id")
    number = serializers.IntegerField()
    status = serializers.ChoiceField(EntryStatus.choices)
    fee_cents = serializers.IntegerField(source="request.fee_cents")
    currency = serializers.CharField(source="request.currency")
    receipt = PayingReceiptOut(allow_null=True)
    returns = serializers.SerializerMethodField()

    @extend_schema_field(ReturnMoneyOut(many=True))
    def get_returns(self, entry: Entry) -> Any:
        """What its buy-backs were paid with, oldest first."""
        return ReturnMoneyOut(returns_with_money(entry), many=True).data


class EntryMoneyView(ApiView):
    """The money of one entry."""

    family = "finance"
    permission_classes = [IsFinance]

    @operation(answer=EntryMoneyOut, errors=(Code.NOT_FOUND,), summary="Show where an entry's money is")
    def get(self, request: Call, pk: str) -> Response:
        """The receipt that pays it, or the name and the reason instead; `none` should never be the answer."""
        return Response(EntryMoneyOut(get_object_or_404(self._entries(), pk=pk)).data)

    def _entries(self) -> QuerySet[Entry]:
        entries: QuerySet[Entry] = with_money(Entry.objects.select_related("request__waived_by"))
        return entries
