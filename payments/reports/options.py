"""What a report can be asked beside pool and days: a kind of account, a year, which date counts."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from django.apps import apps

from config.errors import invalid
from config.phrases import Name, phrase

OptionValue = int | str | None
# What PostgreSQL's bigint holds.
LARGEST_ID = 2**63 - 1


class Asks(StrEnum):
    """What an option's value is."""

    CHOICE = "choice"  # one of `choices`
    NUMBER = "number"  # a whole number between `least` and `most`
    ROW = "row"  # the id of a row of `model`


@dataclass(frozen=True, slots=True)
class Option:
    """One question of a report. The value is `%(name)s` in its SQL; None where nobody said and there is no default."""

    name: str
    label: str
    asks: Asks
    help: str = ""
    default: OptionValue = None
    is_required: bool = False
    choices: Mapping[str, str] = field(default_factory=dict)
    least: int = 0
    most: int = LARGEST_ID
    model: str = ""

    def read(self, given: object) -> OptionValue:
        """The value that the SQL is asked with. Refuses, naming the option, what it cannot be."""
        if given is None or given == "":
            if self.is_required:
                raise invalid(self.name, phrase("{option} is needed.", option=Name(self.label)))
            return self.default
        if self.asks is Asks.CHOICE:
            return self._choice(given)
        number = self._number(given)
        if self.asks is Asks.ROW and not apps.get_model(self.model)._default_manager.filter(pk=number).exists():
            raise invalid(
                self.name, phrase("There is no {option} {number}.", option=Name(self.label.lower()), number=number)
            )
        return number

    def _choice(self, given: object) -> str:
        if not isinstance(given, str) or given not in self.choices:
            raise invalid(
                self.name,
                phrase("{option} is one of {choices}.", option=Name(self.label), choices=", ".join(self.choices)),
            )
        return given

    def _number(self, given: object) -> int:
        text = str(given)
        # `isdecimal` alone would take digits of every script.
        is_number = not isinstance(given, bool) and text.isascii() and text.isdecimal() and len(text) < 20
        if not is_number or not self.least <= int(text) <= self.most:
            raise invalid(
                self.name,
                phrase(
                    "{option} is a whole number from {least} to {most}.",
                    option=Name(self.label),
                    least=self.least,
                    most=self.most,
                ),
            )
        return int(text)


def choice(name: str, label: str, choices: Mapping[str, str], *, default: str | None = None, help: str = "") -> Option:
    """One of a few; the first sentence of each is shown to people."""
    return Option(name, label, Asks.CHOICE, help=help, default=default, choices=choices)


def number(
    name: str, label: str, *, least: int, most: int, default: int | None = None, is_required: bool = False
) -> Option:
    """A whole number, such as a year."""
    return Option(name, label, Asks.NUMBER, default=default, is_required=is_required, least=least, most=most)


def row(name: str, label: str, model: str, *, is_required: bool = False, help: str = "") -> Option:
    """A row of a model, `payments.Account`, by its id."""
    return Option(name, label, Asks.ROW, help=help, is_required=is_required, least=1, model=model)


# Users of other systems were told one and meant the other.
DATE_BASIS = choice(
    "date_basis",
    "Days are those of",
    {"payment": "the payment: when its money came", "event": "the event: when it was booked"},
    default="payment",
)
