"""The switches of rules as fields of forms: one per switch, with what it decides and which values it takes."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.errors import DomainError
from config.money import CURRENCIES, to_decimal
from config.money_forms import minor_units
from pools.services.rules import SWITCHES, Switch, shown

UNCHANGED = ("", "unchanged")


def field_of(key: str) -> str:
    """What the switch is called on a form: money is typed there in whole units, and its name says so."""
    return f"rule_{key.removesuffix('_cents') if SWITCHES[key].is_money else key}"


RULE_FIELDS = tuple(field_of(key) for key in SWITCHES)


def switch_fields(*, of_changes: bool = False) -> dict[str, forms.Field]:
    """Fields by name, fresh ones. An empty field is the default; with `of_changes`, the switch as it stands."""
    return {field_of(key): _field(key, switch, of_changes=of_changes) for key, switch in SWITCHES.items()}


def _field(key: str, switch: Switch, *, of_changes: bool) -> forms.Field:
    help_text = f"{switch.says} Takes {switch.takes}."
    default = "" if switch.default in (None, []) else shown(switch.default)
    common: dict[str, Any] = {"label": field_of(key).removeprefix("rule_"), "help_text": help_text, "required": False}
    common["initial"] = "" if of_changes else default
    if switch.is_money:
        common["help_text"] = f"{help_text} In whole units of the currency, as 25 or 12.50."
        widget = UnfoldAdminTextInputWidget(attrs={"inputmode": "decimal"})
        return forms.DecimalField(min_value=0, max_digits=12, decimal_places=3, widget=widget, **common)
    if switch.choices:
        choices = [(value, value) for value in switch.choices]
        return forms.ChoiceField(
            choices=[UNCHANGED, *choices] if of_changes else choices, widget=UnfoldAdminSelectWidget(), **common
        )
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)


def filled_in(form: Any, currency: str | None) -> dict[str, Any]:
    """The switches that were filled in, as the service reads them; no money in a currency that there is not."""
    given = {key: _given(form, key, switch, (currency or "").lower()) for key, switch in SWITCHES.items()}
    return {key: value for key, value in given.items() if value not in (None, "")}


def _given(form: Any, key: str, switch: Switch, currency: str) -> Any:
    name = field_of(key)
    if not switch.is_money:
        return form.cleaned_data.get(name)
    most = switch.bounds and switch.bounds[1]
    return minor_units(form, currency, name, most=most or None) if currency in CURRENCIES else None


def written(switches: Mapping[str, Any], currency: str) -> dict[str, Any]:
    """The fields with these values, as one fills them in."""
    return {field_of(key): _written(value, SWITCHES[key], currency) for key, value in switches.items()}


def _written(value: Any, switch: Switch, currency: str) -> Any:
    if switch.is_money:
        return to_decimal(value, currency)
    return "" if value in (None, []) else shown(value)


def tell(form: Any, refusal: DomainError, *, called: Mapping[str, str] | None = None) -> None:
    """The service's refusal beside the fields that are meant, or above the form; `called` as the form calls them."""
    names = {f"rules.{key}": field_of(key) for key in SWITCHES} | dict(called or {})
    told = refusal.details if refusal.code == "VALIDATION_ERROR" else {}
    if not told:
        form.add_error(None, refusal.sentence)
    for name, messages in told.items():
        field = names.get(name, name)
        if field not in form.errors:
            form.add_error(field if field in form.fields else None, messages)
