"""The form for a new pool: its fields and all switches of its rules on one page."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
)

from config.errors import DomainError
from pools.models import Pool
from pools.services.pool_fields import check_fields
from pools.services.rules import SWITCHES, Switch, check_rules

FIELDS = (
    "competition", "name", "description", "entry_fee_cents", "currency", "capacity", "max_entries_per_user",
    "registration_closes_at", "first_round_number", "last_round_number", "pay_within_hours", "minimum_age", "countries",
)  # fmt: skip
RULE_PREFIX = "rule_"
RULE_FIELDS = tuple(f"{RULE_PREFIX}{key}" for key in SWITCHES)


if TYPE_CHECKING:
    Base = forms.ModelForm[Pool]
else:
    Base = forms.ModelForm


def _rule_field(key: str, switch: Switch) -> forms.Field:
    """An empty field is the default."""
    help_text = f"{switch.says} Takes: {switch.takes}."
    if switch.choices:
        choices = [(value, value) for value in switch.choices]
        widget = UnfoldAdminSelectWidget()
        return forms.ChoiceField(
            choices=choices, initial=switch.default, label=key, help_text=help_text, widget=widget, required=False
        )
    shown = "" if switch.default in (None, []) else str(switch.default).lower()
    return forms.CharField(
        initial=shown, label=key, help_text=help_text, widget=UnfoldAdminTextInputWidget(), required=False
    )


class PoolForm(Base):
    """Refuses exactly what the service refuses, beside the field that is meant."""

    class Meta:
        model = Pool
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("first_round_number", "last_round_number"):
            self.fields[name].required = False
            self.fields[name].initial = None
            self.fields[name].help_text = "Empty: the competition's own."

    def clean(self) -> dict[str, Any]:
        """Ask the service's own checks; the database is asked when it is saved."""
        values = super().clean() or self.cleaned_data
        if "competition" not in values:
            return values
        checks: tuple[Callable[[], object], ...] = (
            lambda: check_fields(values["competition"], self.pool_fields()),
            lambda: check_rules(
                self.rules(),
                first_round=values.get("first_round_number") or 1,
                last_round=values.get("last_round_number"),
            ),
        )
        for check in checks:
            try:
                check()
            except DomainError as refusal:
                self._tell(refusal)
        return values

    def pool_fields(self) -> dict[str, Any]:
        """What was filled in, under the service's names."""
        values = {name: self.cleaned_data.get(name) for name in FIELDS if name != "competition"}
        return {name: value for name, value in values.items() if value not in (None, "")}

    def rules(self) -> dict[str, Any]:
        """The switches that were filled in."""
        given = {key: self.cleaned_data.get(f"{RULE_PREFIX}{key}") for key in SWITCHES}
        return {key: value for key, value in given.items() if value not in (None, "")}

    def _tell(self, refusal: DomainError) -> None:
        for name, messages in refusal.details.items():
            field = name.replace("rules.", RULE_PREFIX)
            if field in self.errors:
                continue
            self.add_error(field if field in self.fields else None, messages)

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, with its defaults, and the database has the last word."""


# Declared fields, so that an admin page may name them.
for _key, _switch in SWITCHES.items():
    PoolForm.base_fields[f"{RULE_PREFIX}{_key}"] = PoolForm.declared_fields[f"{RULE_PREFIX}{_key}"] = _rule_field(
        _key, _switch
    )
