"""Names of the code as people read them: statuses, reasons, and what stands in a JSON field."""

import enum
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import models
from django.utils.text import capfirst
from django.utils.translation import get_language, gettext

from config.money import format_amount

CODE = re.compile(r"[a-z]+(_[a-z]+)*")


def spoken(text: str) -> str:
    """`wrong_amount` → `wrong amount`; what a person has written stays as it is."""
    return text.replace("_", " ") if CODE.fullmatch(text) else text


def within(text: str) -> str:
    """Words of the code within a sentence of a page: small in English, else as the catalogue has them."""
    if (get_language() or "en").startswith("en") or not text:
        return text
    return gettext(capfirst(text))


def reason(text: str) -> str:
    """Why something was done, on a page: a reason by its code in words; what a person has written stays as it is."""
    return within(spoken(text)) if CODE.fullmatch(text) else text


def status_of(row: Any) -> str:
    """Where a row stands, within a sentence of a page."""
    return within(str(row.get_status_display()).lower())


class Words(models.TextChoices):
    """Choices whose labels are written as the beginning of a sentence: "Needs response", not "Needs Response"."""

    @enum.property
    def label(self) -> str:
        """As it was given, or from the name."""
        words = spoken(self.name.lower())
        return words.capitalize() if self._label_ == words.title() else str(self._label_)


def told(details: Mapping[str, Any], currency: str = "") -> dict[str, str]:
    """Facts of a JSON field for the people of a page; amounts are of their currency, else of the one that is given."""
    code = str(details.get("currency") or currency)
    lines = (_line(name, value, code) for name, value in details.items() if value not in (None, ""))
    return {name: value for name, value in lines if name != "currency"}


def _line(name: str, value: Any, currency: str) -> tuple[str, str]:
    if name.endswith("_cents") and isinstance(value, int) and currency:
        return within(spoken(name.removesuffix("_cents"))), format_amount(value, currency)
    if name.endswith("_at") and isinstance(value, str):
        return within(spoken(name)), f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M}"
    if isinstance(value, bool):
        return within(spoken(name)), within("yes" if value else "no")
    # What a person has written stays as it is.
    is_code = CODE.fullmatch(str(value)) is not None
    shown = within(spoken(str(value))) if is_code else str(value)
    return within(spoken(name.removesuffix("_id"))), shown
