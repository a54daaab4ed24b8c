"""The form on which staff write down that a winner sent back what was paid too much."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.models import User
from config.money import to_decimal
from config.money_forms import minor_units
from config.phrases import Money, tell
from payments.admin.handover import LARGEST_ID, HandoverForm, amount_field
from payments.models import ManualRecord, Payout
from payments.services.winners.corrections import record_repayment
from payments.services.winners.standing import standing_of


class RepaymentForm(HandoverForm):
    """A prize that its winner sent back."""

    title = gettext_noop("Record a prize sent back")
    explained = gettext_noop(
        "For a prize that was paid too much: what the winner has handed back, all of it or a part."
    )
    subject = "payout"

    payout = forms.IntegerField(
        min_value=1,
        max_value=LARGEST_ID,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Any payout of the prize."),
    )
    amount = amount_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        payouts = Payout.objects.select_related("booking__pool", "player")
        self.about = payouts.filter(pk=self.row_id or 0).first()
        if self.about is not None:
            self.initial.setdefault("amount", to_decimal(_over(self.about), self.about.currency))

    def clean(self) -> dict[str, Any]:
        """No more decimals than the currency has."""
        given: dict[str, Any] = super().clean() or {}
        if self.about is None:
            self.add_error("payout", "There is no such payout.")
        else:
            given["amount_cents"] = minor_units(self, self.about.currency)
        return given

    def facts(self) -> list[str]:
        """Whose prize it is, and how much of it is owed."""
        if self.about is None:
            return []
        player = self.about.player
        return [
            tell(
                "{person} owes {amount} of the prize in {pool}.",
                person=f"{player.display_name} <{player.email}>",
                amount=Money(_over(self.about), self.about.currency),
                pool=self.about.booking.pool.name,
            )
        ]

    def write(self, by: User) -> ManualRecord:
        """As a correction of the prize, with its record."""
        given = self.cleaned_data
        return record_repayment(
            payout_id=given["payout"], amount_cents=given["amount_cents"], handover=self.handover(), by=by
        )


def _over(payout: Payout) -> int:
    return standing_of(payout.booking.pool_id, payout.player_id).over
