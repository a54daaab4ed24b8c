"""The switches of rules as fields of forms: one per switch, with what it decides and which values it takes."""

from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from config.errors import DomainError
from pools.services.rules import SWITCHES, Switch, shown

RULE_PREFIX = "rule_"
RULE_FIELDS = tuple(f"{RULE_PREFIX}{key}" for key in SWITCHES)
UNCHANGED = ("", "unchanged")


def switch_fields(*, of_changes: bool = False) -> dict[str, forms.Field]:
    """Fields by name, fresh ones. An empty field is the default; with `of_changes`, the switch as it stands."""
    return {f"{RULE_PREFIX}{key}": _field(key, switch, of_changes=of_changes) for key, switch in SWITCHES.items()}


def _field(key: str, switch: Switch, *, of_changes: bool) -> forms.Field:
    help_text = f"{switch.says} Takes {switch.takes}."
    default = "" if switch.default in (None, []) else shown(switch.default)
    common: dict[str, Any] = {"label": key, "help_text": help_text, "required": False}
    common["initial"] = "" if of_changes else default
    if switch.choices:
        choices = [(value, value) for value in switch.choices]
        return forms.ChoiceField(
            choices=[UNCHANGED, *choices] if of_changes else choices, widget=UnfoldAdminSelectWidget(), **common
        )
    return forms.CharField(widget=UnfoldAdminTextInputWidget(), **common)


def filled_in(form: Any) -> dict[str, Any]:
    """The switches that were filled in, as the service reads them."""
    given = {key: form.cleaned_data.get(f"{RULE_PREFIX}{key}") for key in SWITCHES}
    return {key: value for key, value in given.items() if value not in (None, "")}


def tell(form: Any, refusal: DomainError, *, called: Mapping[str, str] | None = None) -> None:
    """The service's refusal beside the fields that are meant, or above the form; `called` as the form calls them."""
    told = refusal.details if refusal.code == "VALIDATION_ERROR" else {}
    if not told:
        form.add_error(None, refusal.sentence)
    for name, messages in told.items():
        field = (called or {}).get(name, name.replace("rules.", RULE_PREFIX))
        if field not in form.errors:
            form.add_error(field if field in form.fields else None, messages)
