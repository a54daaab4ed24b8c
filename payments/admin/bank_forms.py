"""What is asked of whoever imports a statement, or says what a line of it is."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.models import User
from config import phrases
from config.errors import DomainError
from config.money_forms import minor_units
from config.names import named
from config.phrases import Money, shown_amount
from config.reasons import LONGEST_REASON
from config.words import status_of
from payments.bank.candidates import candidates_of
from payments.bank.deciding import Choice, match_by_hand
from payments.bank.importing import Given, Imported, import_file
from payments.bank.layouts import read_layout
from payments.models import BankAccount, BankLine, ManualRecord, MatchKind, ProviderPayout
from payments.models.bank import LARGEST_FILE

RESTS = {
    "": _("Nothing: it is all of it"),
    MatchKind.BANK_FEE: _("Taken by the bank"),
    MatchKind.NOT_OURS: _("Not ours"),
}


def _amount(label: str, help_text: str) -> forms.DecimalField:
    return forms.DecimalField(
        label=label, max_digits=18, decimal_places=3, required=False, widget=UnfoldAdminTextInputWidget,
        help_text=help_text,
    )  # fmt: skip


if TYPE_CHECKING:
    Base = forms.ModelForm[BankAccount]
else:
    Base = forms.ModelForm


class AccountForm(Base):
    """An account, however its number is typed."""

    def clean_number(self) -> str:
        """Without the blanks that are printed for the eye."""
        return "".join(str(self.cleaned_data["number"]).split()).upper()

    def clean_currency(self) -> str:
        """As it is kept."""
        return str(self.cleaned_data["currency"]).lower()

    def clean_layout(self) -> Any:
        """Refused where no file could be read with it."""
        layout = self.cleaned_data.get("layout") or {}
        if layout:
            try:
                read_layout(layout)
            except DomainError as refusal:
                raise forms.ValidationError(refusal.sentence) from None
        return layout


class ImportForm(forms.Form):
    """A file of the bank."""

    account = forms.ModelChoiceField(
        BankAccount.objects.none(),
        required=False,
        widget=UnfoldAdminSelectWidget,
        empty_label=_("As the file says"),
        help_text=_("CAMT.053 says whose it is; a CSV file does not."),
    )
    file = forms.FileField(
        widget=UnfoldAdminFileFieldWidget,
        help_text=f"CSV as the account's layout says, or CAMT.053; {LARGEST_FILE // 1024 // 1024} MB at most.",
    )
    opening_cents = _amount(
        gettext_noop("Opening balance"), gettext_noop("In whole units; only where the file has none.")
    )
    closing_cents = _amount(
        gettext_noop("Closing balance"), gettext_noop("The same; it is compared with what the lines come to.")
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        field = self.fields["account"]
        if isinstance(field, forms.ModelChoiceField):
            field.queryset = BankAccount.objects.filter(is_active=True)

    def clean(self) -> dict[str, Any]:
        """Balances in minor units of the account's currency."""
        given: dict[str, Any] = super().clean() or {}
        account: BankAccount | None = given.get("account")
        for name in ("opening_cents", "closing_cents"):
            if account is not None:
                given[name] = minor_units(self, account.currency, name)
            elif given.get(name) is not None:
                self.add_error("account", "Name the account that the balance is of.")
        return given

    def write(self, by: User) -> Imported:
        """Hand it to the service."""
        given = self.cleaned_data
        return import_file(
            content=given["file"].read(LARGEST_FILE + 1),
            name=given["file"].name or "",
            given=Given(
                account_id=None if given["account"] is None else given["account"].pk,
                opening_cents=given.get("opening_cents"),
                closing_cents=given.get("closing_cents"),
            ),
            by=by,
        )


class MatchForm(forms.Form):
    """What a line is."""

    provider_payouts = forms.TypedMultipleChoiceField(
        label=_("Payouts"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    manual_records = forms.TypedMultipleChoiceField(
        label=_("Money by hand"), coerce=int, required=False, widget=forms.CheckboxSelectMultiple
    )
    rest = forms.ChoiceField(
        label=_("What is left over"),
        required=False,
        choices=list(RESTS.items()),
        widget=UnfoldAdminSelectWidget,
        help_text=_("Where what is chosen is not all of the line, or nothing is chosen."),
    )
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text=_("How you know. Kept beside the line."),
    )

    def __init__(self, *args: Any, line: BankLine, **options: Any) -> None:
        super().__init__(*args, **options)
        self.line = line
        found = candidates_of(line)
        choices = {
            "provider_payouts": [(row.pk, _told_payout(row)) for row in found.payouts],
            "manual_records": [(row.pk, _told_record(row)) for row in found.records],
        }
        for name, rows in choices.items():
            field = self.fields[name]
            if isinstance(field, forms.TypedMultipleChoiceField):
                field.choices = rows
            if not rows:
                field.help_text = gettext("Nothing that is expected.")

    def facts(self) -> list[str]:
        """What the bank says."""
        line = self.line
        amount = Money(line.amount_cents, line.currency)
        said = [
            phrases.tell("{amount} on {day}, {account}", amount=amount, day=line.booked_on, account=line.account.name)
        ]
        return [*said, *(text for text in (line.counterparty, line.text, line.trace_id) if text)]

    def write(self, by: User) -> BankLine:
        """Hand it to the service."""
        given = self.cleaned_data
        choice = Choice(
            payout_ids=tuple(given["provider_payouts"]),
            record_ids=tuple(given["manual_records"]),
            rest=MatchKind(given["rest"]) if given["rest"] else None,
        )
        return match_by_hand(line_id=self.line.pk, choice=choice, by=by, reason=given["reason"])


def _told_payout(row: ProviderPayout) -> str:
    return phrases.tell(
        "{amount}, {provider} {reference}, due {day}, {state}",
        amount=Money(row.amount_cents, row.currency),
        provider=row.provider,
        reference=row.reference,
        day=row.arrives_on,
        state=status_of(row),
    )


def _told_record(row: ManualRecord) -> str:
    amount = shown_amount(row.amount_cents, row.currency)
    return f"{amount}, {named(row.get_method_display())} {row.reference}, {row.passed_at:%Y-%m-%d}"
