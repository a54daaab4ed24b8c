"""What is asked before money goes back: how much, out of whose pocket, and why."""

from typing import Any, ClassVar

from django import forms
from django.utils.translation import gettext, gettext_noop
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.models import User
from config.clock import database_now
from config.money import to_decimal
from config.money_forms import minor_units
from config.names import named_choices
from config.phrases import Money, tell
from config.reasons import LONGEST_REASON
from config.words import status_of
from payments.admin.handover import LARGEST_ID, HandoverForm
from payments.models import ManualRecord, Receipt, ReceiptState, Refund, TakenFrom
from payments.models.dispute import UNDECIDED
from payments.services.refunds.checks import left_of
from payments.services.refunds.deciding import replace_refund, request_refund

SOURCES = {
    TakenFrom.UNAPPLIED: gettext_noop("It is money without a place"),
    TakenFrom.PLACE: gettext_noop("The place is taken back, and its fee leaves pot and house"),
    TakenFrom.HOUSE: gettext_noop("The house gives its own; place and pot stay"),
}


def sources_of(receipt: Receipt) -> list[tuple[str, str]]:
    """What the money can be taken from, as things stand."""
    without_place = receipt.status == ReceiptState.UNAPPLIED
    wanted = (TakenFrom.UNAPPLIED,) if without_place else (TakenFrom.PLACE, TakenFrom.HOUSE)
    return [(str(source), gettext(SOURCES[source])) for source in wanted]


def amount_field() -> forms.DecimalField:
    """In whole units."""
    return forms.DecimalField(
        min_value=0, max_digits=12, decimal_places=3, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=gettext('In whole units, 12.50. Empty gives back all that is left.'),
    )  # fmt: skip


def reason_field() -> forms.CharField:
    """Why."""
    return forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext("Kept beside the refund, for whoever approves it and whoever asks later."),
    )


def facts_of(receipt: Receipt) -> list[str]:
    """Whose money it is, and how much of it is left."""
    request, currency = receipt.payment.request, receipt.currency
    said = [
        tell(
            "{person} paid {amount} for {pool}: {state}.",
            person=f"{request.user.display_name} <{request.user.email}>",
            amount=Money(receipt.amount_cents, currency),
            pool=request.pool.name,
            state=status_of(receipt),
        ),
        tell("{amount} of it can still be given back.", amount=Money(max(left_of(receipt), 0), currency)),
    ]
    if receipt.disputes.filter(status__in=UNDECIDED).exists():
        said.append(gettext("A bank disputes it: until that is decided, nothing is given back."))
    return said


class RefundForm(forms.Form):
    """A refund to where the money came from."""

    amount = amount_field()
    taken_from = forms.ChoiceField(widget=UnfoldAdminSelectWidget)
    reason = reason_field()

    def __init__(self, *args: Any, receipt: Receipt, **options: Any) -> None:
        super().__init__(*args, **options)
        self.receipt = receipt
        self.fields["taken_from"] = forms.ChoiceField(choices=sources_of(receipt), widget=UnfoldAdminSelectWidget)
        self.initial.setdefault("amount", to_decimal(max(left_of(receipt), 0), receipt.currency))

    def clean(self) -> dict[str, Any]:
        """No more decimals than the currency has."""
        given: dict[str, Any] = super().clean() or {}
        given["amount_cents"] = minor_units(self, self.receipt.currency)
        return given

    def ask(self, by: User) -> Refund:
        """Hand it to the service."""
        given = self.cleaned_data
        return request_refund(
            receipt_id=self.receipt.pk,
            amount_cents=given["amount_cents"],
            taken_from=given["taken_from"],
            reason=given["reason"],
            by=by,
            now=database_now(),
        )


class RefundByHandForm(HandoverForm):
    """A refund of money that came by hand: how much, why, and how it was handed back."""

    title = gettext_noop("Hand a payment back")
    explained = gettext_noop("Somebody else approves it. Nothing changes until then.")
    subject: ClassVar[str] = "receipt"

    receipt = forms.IntegerField(min_value=1, max_value=LARGEST_ID, widget=UnfoldAdminTextInputWidget)
    amount = amount_field()
    taken_from = forms.ChoiceField(
        choices=named_choices((str(source), label) for source, label in SOURCES.items()), widget=UnfoldAdminSelectWidget
    )
    reason = reason_field()

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        found = self._receipt()
        if found is not None:
            self.fields["taken_from"] = forms.ChoiceField(choices=sources_of(found), widget=UnfoldAdminSelectWidget)
            self.initial.setdefault("amount", to_decimal(max(left_of(found), 0), found.currency))

    def facts(self) -> list[str]:
        """Whose money it is, and how much of it is left."""
        found = self._receipt()
        return [] if found is None else facts_of(found)

    def clean(self) -> dict[str, Any]:
        """No more decimals than the currency has."""
        given: dict[str, Any] = super().clean() or {}
        found = self._receipt()
        if found is None:
            self.add_error("receipt", "There is no such receipt.")
        else:
            given["amount_cents"] = minor_units(self, found.currency)
        return given

    def write(self, by: User) -> ManualRecord:
        """As a refund that waits for approval, with its record."""
        given = self.cleaned_data
        refund = request_refund(
            receipt_id=given["receipt"],
            amount_cents=given["amount_cents"],
            taken_from=given["taken_from"],
            reason=given["reason"],
            by=by,
            now=database_now(),
            manual=self.handover(),
        )
        return refund.manual_record

    def _receipt(self) -> Receipt | None:
        receipts = Receipt.objects.select_related("payment__request__user", "payment__request__pool")
        return None if self.row_id is None else receipts.filter(pk=self.row_id).first()


class SendByHandForm(HandoverForm):
    """The money of a failed refund, handed over instead."""

    title = gettext_noop("Hand over what a refund failed to bring")
    explained = gettext_noop("Somebody else approves it. The money is owed to the player until then.")
    subject: ClassVar[str] = "refund"

    refund = forms.IntegerField(min_value=1, max_value=LARGEST_ID, widget=UnfoldAdminTextInputWidget)
    reason = reason_field()

    def write(self, by: User) -> ManualRecord:
        """As a refund that replaces the failed one."""
        given = self.cleaned_data
        refund = replace_refund(refund_id=given["refund"], by=by, reason=given["reason"], manual=self.handover())
        return refund.manual_record
