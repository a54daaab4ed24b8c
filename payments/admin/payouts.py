"""Prizes on their way: what is asked for, approved, handed over or sent, what came back, and what was too much."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminSelectWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import User
from config.admin import RowLink, WithRowActions
from config.confirmations import Reason, confirmed
from config.phrases import shown_amount
from config.words import status_of
from payments.admin import prize_facts as facts
from payments.admin.manual import to_handover
from payments.admin.payout_previews import (
    what_approving_does,
    what_asking_does,
    what_bearing_does,
    what_cancelling_does,
    what_releasing_does,
    what_returning_does,
)
from payments.admin.ways import journal_of
from payments.models import ManualState, Payout, PayoutChange, PayoutState, Provider
from payments.models.payout import PAYOUTS_UNDER_WAY, WAITING_PAYOUTS
from payments.providers import provider_names
from payments.services.payouts import approve_payout, cancel_payout, request_payout, return_payout
from payments.services.winners.corrections import bear_overpaid, release_withheld
from payments.services.winners.sending import ask_about
from payments.services.winners.standing import left_withheld, standing_of
from pools.admin.made_by_service import MadeByService

HANDED_OVER = to_handover(gettext_noop("Record that it was handed over"), "record_payout", "payout")
SENT_BACK = to_handover(gettext_noop("Record that the winner sent it back"), "record_repayment", "payout")

if TYPE_CHECKING:
    Base = forms.ModelForm[Payout]
else:
    Base = forms.ModelForm


class WishForm(Base):
    """Whose prize, and which way: the amount is what the books say."""

    entry = forms.IntegerField(
        min_value=1, max_value=2**63 - 1, widget=UnfoldAdminIntegerFieldWidget,
        help_text=_("Any entry with a prize: all that its player has won in the pool "
        "is paid out, less what was paid."),
    )  # fmt: skip
    way = forms.ChoiceField(
        required=False, widget=UnfoldAdminSelectWidget,
        help_text=_('By default the provider where the player has a confirmed account, else by hand.'),
    )  # fmt: skip

    class Meta:
        model = Payout
        fields = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [("", gettext("As usual")), *((name, name) for name in provider_names())]
        self.fields["way"] = forms.ChoiceField(
            choices=names, required=False, widget=UnfoldAdminSelectWidget, help_text=self.fields["way"].help_text
        )

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


@admin.register(Payout)
class PayoutAdmin(WithHistory, WithRowActions, MadeByService):
    """One row for each time that a prize was asked for."""

    handbook = "finance/payouts#payouts"
    add_form = WishForm
    change_model = PayoutChange
    list_display = (
        "id", "pool", "player", "prize", "withheld", "net", "provider", "status", "requested_by", "requested_at",
        "approved_by", "paid_at",
    )  # fmt: skip
    list_select_related = ("booking__pool", "player", "requested_by", "approved_by")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        ("booking__pool", AutocompleteSelectFilter),
        "provider",
        "requested_at",
        "paid_at",
    )
    search_fields = ("player__email", "player__display_name", "provider_reference")
    search_help_text = "The winner's e-mail address or name, or the provider's name of the transfer"
    ordering = ("-id",)
    fieldsets: ClassVar = (
        (None, {"fields": ("pool", "player", "status", "reason", "failure")}),
        ("Money", {"fields": ("entries_won", "prize", "withheld", "net", "taxes", "standing", "corrected")}),
        (_("Way"), {"fields": ("provider", "destination", "provider_reference", "records", "replaced")}),
        (
            _("Who and when"),
            {"fields": (
                "requested_by", "requested_at", "approved_by", "approved_at", "sent_at", "checked_at", "paid_at",
                "returned_at",
            )},
        ),
        (_("Books"), {"fields": ("booking", "booked", "history")}),
    )  # fmt: skip
    readonly_fields = (
        "pool", "prize", "withheld", "net", "booked", "history", "entries_won", "taxes", "standing", "corrected",
        "records", "replaced",
    )  # fmt: skip
    add_fieldsets: ClassVar = (
        (
            None,
            {
                "fields": ("entry", "way"),
                "description": _("Somebody else approves it before anything is handed over."),
            },
        ),
    )
    actions = ("approve", "cancel", "mark_returned", "ask", "bear", "release")
    links = (HANDED_OVER, SENT_BACK)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """With the entry that a link named."""
        return {"entry": request.GET.get("entry", "")}

    def describe(self, row: Payout) -> str:
        """How much to whom, what is withheld of it, and which way."""
        taxed = f", {self.withheld(row)} withheld, {self.net(row)} paid" if row.withheld_cents else ""
        return f"{self.prize(row)} to {row.player} for {self.pool(row)}{taxed}, {row.provider} ({status_of(row)})"

    def make(self, form: Any, by: User) -> Payout:
        """A wish."""
        return request_payout(entry_id=form.cleaned_data["entry"], by=by, provider=form.cleaned_data.get("way") or None)

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """To a form only where it has something to say."""
        row: Payout | None = self.get_object(request, object_id)
        if row is None:
            return False
        if link is SENT_BACK:
            return row.status == PayoutState.PAID and standing_of(row.booking.pool_id, row.player_id).over > 0
        if row.status != PayoutState.APPROVED or row.provider != Provider.MANUAL:
            return False
        return not row.manual_records.exclude(status=ManualState.REJECTED).exists()

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it as it is."""
        row: Payout | None = self.get_object(request, object_id)
        if row is None:
            return False
        is_paid, by_hand = row.status == PayoutState.PAID, row.provider == Provider.MANUAL
        return {
            "approve": row.status == PayoutState.REQUESTED and row.requested_by_id != staff(request).pk,
            "cancel": row.status in WAITING_PAYOUTS,
            "mark_returned": is_paid and by_hand,
            "ask": not by_hand and row.status in (PayoutState.APPROVED, *PAYOUTS_UNDER_WAY, PayoutState.PAID),
            "bear": is_paid and standing_of(row.booking.pool_id, row.player_id).over > 0,
            "release": is_paid and left_withheld(row) > 0,
        }.get(name, False)

    @admin.display(description="Pool", ordering="booking__pool__name")
    def pool(self, payout: Payout) -> str:
        """The pool's name."""
        return payout.booking.pool.name

    @admin.display(description="Prize", ordering="amount_cents")
    def prize(self, payout: Payout) -> str:
        """In whole units, before taxes."""
        return shown_amount(payout.amount_cents, payout.currency)

    @admin.display(description="Withheld", ordering="withheld_cents")
    def withheld(self, payout: Payout) -> str:
        """The tax that stays here."""
        return shown_amount(payout.withheld_cents, payout.currency)

    @admin.display(description="Paid out")
    def net(self, payout: Payout) -> str:
        """What the winner gets."""
        return shown_amount(payout.net_cents, payout.currency)

    @admin.display(description="Won by")
    def entries_won(self, payout: Payout) -> SafeString:
        """Each entry with its prize in the booking that it was asked for under."""
        return facts.entries_of(payout)

    @admin.display(description="Taxes")
    def taxes(self, payout: Payout) -> SafeString:
        """What the player's country asks in the year of the payment, and what is on file."""
        return facts.taxes_of(payout)

    @admin.display(description="The player in this pool now")
    def standing(self, payout: Payout) -> SafeString:
        """Won, paid, due, too much."""
        return facts.standing_facts(payout)

    @admin.display(description="Corrections")
    def corrected(self, payout: Payout) -> SafeString | str:
        """What became of what was too much."""
        return facts.corrections_of(payout)

    @admin.display(description="Handed over")
    def records(self, payout: Payout) -> SafeString | str:
        """The records of its handover."""
        return facts.records_of(payout)

    @admin.display(description="Sends again")
    def replaced(self, payout: Payout) -> SafeString | str:
        """The payout that came back."""
        return facts.replaced_by(payout)

    @admin.display(description="Booked")
    def booked(self, payout: Payout) -> SafeString:
        """Its entries in the journal."""
        return journal_of([("payout", str(payout.ref))])

    @confirmed(
        "Approve", permission="payments.approve_payout", preview=what_approving_does, done="approved", fresh=True
    )
    def approve(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """The second name."""
        approve_payout(payout_id=row.pk, by=staff(request))

    @confirmed(
        "Cancel", permission="payments.request_payout", preview=what_cancelling_does, reason=Reason.REQUIRED,
        done="cancelled",
    )  # fmt: skip
    def cancel(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """Take it back."""
        cancel_payout(payout_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Came back", permission="payments.approve_payout", preview=what_returning_does, reason=Reason.REQUIRED,
        done="owed again", fresh=True,
    )  # fmt: skip
    def mark_returned(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """What was handed over came back."""
        return_payout(payout_id=row.pk, by=staff(request), reason=reason)

    @confirmed("Ask the provider", permission="payments.request_payout", preview=what_asking_does, done="asked about")
    def ask(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """What became of it."""
        ask_about(payout_id=row.pk, source="admin")

    @confirmed(
        "The house bears it", permission="payments.request_prizecorrection", preview=what_bearing_does,
        reason=Reason.REQUIRED, done="proposed", fresh=True,
    )  # fmt: skip
    def bear(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """What was paid too much stays with the winner."""
        bear_overpaid(payout_id=row.pk, reason=reason, by=staff(request))

    @confirmed(
        "Release what is withheld", permission="payments.request_prizecorrection", preview=what_releasing_does,
        reason=Reason.REQUIRED, done="proposed", fresh=True,
    )  # fmt: skip
    def release(self, request: HttpRequest, row: Payout, reason: str) -> None:
        """The form came."""
        release_withheld(payout_id=row.pk, reason=reason, by=staff(request))


def payout_page(payout: Payout) -> str:
    """Its address."""
    return reverse("admin:payments_payout_change", args=[payout.pk])
