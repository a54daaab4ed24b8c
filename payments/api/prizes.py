"""What an entry's player has won in its pool, and where the money is: for the player, and for finance."""

from typing import Any

from django.db.models import QuerySet, TextChoices
from rest_framework import serializers
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request as Call
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.api.permissions import IsFinance
from config.api.operations import operation
from config.api.views import ApiView
from config.errors import Code
from entries.models import Entry
from payments.models import Payout, PayoutState
from payments.services.prizes import latest_booking
from payments.services.winners.standing import standing_of


class PrizeState(TextChoices):
    """Where a player's prize is. How it is approved, and asked about, is our own business."""

    NONE = "none", "No prize"
    DUE = "due", "To be paid out"
    ON_ITS_WAY = "on_its_way", "On its way"
    PAID = "paid", "Paid"


class PrizePartOut(serializers.ModelSerializer[Payout]):
    """Money that left towards the player. `amount_cents` is before `withheld_cents` (taxes)."""

    net_cents = serializers.IntegerField(read_only=True)

    class Meta:
        model = Payout
        fields = ["id", "amount_cents", "withheld_cents", "net_cents", "currency", "provider", "paid_at", "returned_at"]
        read_only_fields = fields


class PrizeOut(serializers.Serializer[Any]):
    """An entry's prize, and the sum of its player's prizes in the pool with what became of it."""

    entry = serializers.IntegerField()
    pool = serializers.IntegerField()
    currency = serializers.CharField()
    prize_cents = serializers.IntegerField(help_text="Of this entry, as it is in the books.")
    won_cents = serializers.IntegerField(help_text="Of all entries of the player in the pool.")
    paid_cents = serializers.IntegerField(help_text="Paid of it, before taxes, less what was sent back.")
    overpaid_cents = serializers.IntegerField(help_text="Paid above the prize, after a correction.")
    status = serializers.ChoiceField(PrizeState.choices)
    payouts = PrizePartOut(many=True)


class PrizeView(ApiView):
    """The prize of one entry."""

    family = "payments"

    @operation(answer=PrizeOut, errors=(Code.NOT_FOUND,), summary="Show an entry's prize")
    def get(self, request: Call, pk: str) -> Response:
        """What the player has won, and what of it is paid. A stranger's entry is not there."""
        entry = get_object_or_404(self._entries(), pk=pk)
        booking, standing = latest_booking(entry.pool), standing_of(entry.pool_id, entry.user_id)
        gone = Payout.objects.filter(
            booking__pool=entry.pool_id, player=entry.user_id, status__in=(PayoutState.PAID, PayoutState.RETURNED)
        )
        shown = {
            "entry": entry.pk,
            "pool": entry.pool_id,
            "currency": entry.pool.currency,
            "prize_cents": 0 if booking is None else booking.prizes.get(str(entry.pk), 0),
            "won_cents": standing.won,
            "paid_cents": standing.paid - standing.repaid,
            "overpaid_cents": standing.over,
            "status": _state(standing.won, standing.paid - standing.repaid, self._is_approved(entry)),
            "payouts": gone.order_by("pk"),
        }
        return Response(PrizeOut(shown).data)

    def _is_approved(self, entry: Entry) -> bool:
        on_its_way = (PayoutState.APPROVED, PayoutState.SENDING, PayoutState.UNKNOWN)
        return Payout.objects.filter(booking__pool=entry.pool_id, player=entry.user_id, status__in=on_its_way).exists()

    def _entries(self) -> QuerySet[Entry]:
        entries: QuerySet[Entry] = Entry.objects.select_related("pool")
        return entries if IsFinance().has_permission(self.request, self) else entries.filter(user=caller(self.request))


def _state(won: int, paid: int, is_approved: bool) -> PrizeState:
    if not won and not paid:
        return PrizeState.NONE
    if is_approved:
        return PrizeState.ON_ITS_WAY
    return PrizeState.PAID if paid >= won else PrizeState.DUE
