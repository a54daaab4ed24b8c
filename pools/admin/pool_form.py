"""The form for a new pool: its fields and all switches of its rules on one page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from config.errors import DomainError
from config.money import CURRENCIES
from config.money_forms import minor_units
from pools.admin.switch_fields import filled_in, switch_fields, tell
from pools.models import Competition, Pool
from pools.services.pool_fields import LARGEST_FEE, check_fields
from pools.services.rules import check_rules, contest_of

# In whole units on the form, in minor ones for the service.
FEE, FEE_CENTS = "entry_fee", "entry_fee_cents"
FIELDS = (
    "competition", "name", "description", FEE, "currency", "capacity", "max_entries_per_user",
    "registration_closes_at", "first_round_number", "last_round_number", "pay_within_hours", "minimum_age", "countries",
    "suspended_may_pick", "chargeback_bearer",
)  # fmt: skip


if TYPE_CHECKING:
    Base = forms.ModelForm[Pool]
else:
    Base = forms.ModelForm


class PoolForm(Base):
    """Refuses exactly what the service refuses, beside the field that is meant."""

    entry_fee = forms.DecimalField(
        label=_("Fee"), min_value=0, max_digits=12, decimal_places=3, required=False, initial=0,
        widget=UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"}),
        help_text=_('In whole units of the currency, as 25 or 12.50; 0 is free.'),
    )  # fmt: skip

    class Meta:
        model = Pool
        fields = tuple(name for name in FIELDS if name != FEE)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fee_cents: int | None = None
        for name in ("first_round_number", "last_round_number"):
            self.fields[name].required = False
            self.fields[name].initial = None
            self.fields[name].help_text = gettext("Empty: the competition's own.")
        self.fields["chargeback_bearer"].required = False

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks; the database is asked when it is saved."""
        values = super().clean() or self.cleaned_data
        if "competition" not in values:
            return values
        self.fee_cents = self._fee()
        checks: tuple[Callable[[], object], ...] = (
            lambda: check_fields(values["competition"], self.pool_fields()),
            lambda: check_rules(self.rules(), contest=contest_of(self._pool(values["competition"]))),
        )
        for check in checks:
            try:
                check()
            except DomainError as refusal:
                tell(self, refusal, called={FEE_CENTS: FEE})
        return values

    def _fee(self) -> int | None:
        """In minor units. In a currency that there is not, which is told beside it, it is nothing."""
        currency = str(self.cleaned_data.get("currency") or "").lower()
        if currency not in CURRENCIES or FEE in self.errors:
            return None
        return minor_units(self, currency, FEE, most=LARGEST_FEE)

    def pool_fields(self) -> dict[str, Any]:
        """What was filled in, under the service's names."""
        values = {name: self.cleaned_data.get(name) for name in FIELDS if name not in ("competition", FEE)}
        values[FEE_CENTS] = self.fee_cents
        return {name: value for name, value in values.items() if value not in (None, "")}

    def rules(self) -> dict[str, Any]:
        """The switches that were filled in."""
        return filled_in(self, self.cleaned_data.get("currency"))

    def _pool(self, competition: Competition) -> Pool:
        """The pool as it would be, as far as its rules ask: with the competition's own rounds where none are given."""
        numbers = competition.rounds.order_by("number").values_list("number", flat=True)
        first = self.cleaned_data.get("first_round_number") or numbers.first() or 1
        last = self.cleaned_data.get("last_round_number") or numbers.last() or first
        currency = str(self.cleaned_data.get("currency") or "").lower()
        return Pool(competition=competition, first_round_number=first, last_round_number=last, currency=currency)

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, with its defaults, and the database has the last word."""


# Declared fields, so that an admin page may name them.
for _name, _field in switch_fields().items():
    PoolForm.base_fields[_name] = PoolForm.declared_fields[_name] = _field
