"""Sentences with facts in them, which are said in the language of whoever reads them.

    raise Refused(Code.DEADLINE_PASSED, phrase("Round {round} has locked.", round=number))

A service says its sentence once, in English: `phrase` answers that text, and remembers what it was made of. Stored,
logged or compared it is the English text and nothing else. Where a person reads it (an answer of the API, a page of the
back office) `in_language` says it in their language: the whole sentence is looked up in the catalogue, never pieces of
it, and the facts are written as that language writes numbers, days and money.

`tell` and `tell_of` do both at once, for pages, whose language is known while they are made.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from datetime import UTC, date, datetime
from decimal import Decimal
from string import Formatter
from typing import Any, NamedTuple

from django.utils.formats import date_format, number_format
from django.utils.functional import lazy
from django.utils.translation import get_language, gettext, ngettext, override

from config.money import format_amount, to_decimal
from config.names import named
from config.words import spoken

ORIGINAL = "en"


class Money(NamedTuple):
    """An amount within a sentence."""

    minor: int
    currency: str

    def __str__(self) -> str:
        return shown_amount(self.minor, self.currency)


class Name(str):
    """A name of the code within a sentence, such as a state: its words are looked up like those of a column."""

    __slots__ = ()


class Faults(dict[str, Sequence[str]]):
    """What is wrong with each of several fields, within a sentence."""

    def __str__(self) -> str:
        return "; ".join(f"{name}: {' '.join(map(in_language, said))}" for name, said in self.items())


class Phrase(str):
    """An English sentence that knows what it was made of; anything that keeps it keeps the English text."""

    one: str
    many: str
    facts: dict[str, Any]

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


class _Facts(Formatter):
    """Facts as a language writes them."""

    def __init__(self, *, is_original: bool) -> None:
        self.is_original = is_original

    def format_field(self, value: Any, format_spec: str) -> str:
        if isinstance(value, Name):
            return str(value) if self.is_original else named(spoken(str(value)))
        if isinstance(value, Phrase):
            return str(value) if self.is_original else in_language(value)
        if isinstance(value, Money):
            return format_amount(*value) if self.is_original else str(value)
        if isinstance(value, Faults):
            with override(ORIGINAL) if self.is_original else nullcontext():
                return str(value)
        if isinstance(value, date):
            return self._day(value, format_spec)
        if format_spec == "," and not self.is_original:
            return str(number_format(value, force_grouping=True))
        return str(super().format_field(value, format_spec))

    def _day(self, value: date, form: str) -> str:
        if form == "month":
            return f"{value:%B %Y}" if self.is_original else str(date_format(value, "YEAR_MONTH_FORMAT"))
        if not isinstance(value, datetime):
            return f"{value:%Y-%m-%d}" if self.is_original else str(date_format(value, "SHORT_DATE_FORMAT"))
        at = value.astimezone(UTC)
        if form == "instant":
            # To the second and with its zone, as the API writes it; elsewhere as people write it, and with its zone.
            iso = at.isoformat(timespec="seconds").replace("+00:00", "Z")
            return iso if self.is_original else f"{date_format(at, 'SHORT_DATETIME_FORMAT')} UTC"
        return f"{at:%Y-%m-%d %H:%M}" if self.is_original else str(date_format(at, "SHORT_DATETIME_FORMAT"))


_ENGLISH, _OTHER = _Facts(is_original=True), _Facts(is_original=False)


def phrase(sentence: str, /, **facts: Any) -> Phrase:
    """The sentence with its facts: `{name}` where one stands, `{name:,}` for a number in groups of three digits.

    A day is a `date`, an instant a `datetime` (shown in UTC), an amount `Money`, a state `Name`.
    """
    return _made(sentence, sentence, facts)


def phrase_of(number: int, one: str, many: str, /, **facts: Any) -> Phrase:
    """The same for a sentence about a number, which stands in it as `{count}`: each language has its own plurals."""
    return _made(one, many, {**facts, "count": number})


def _made(one: str, many: str, facts: dict[str, Any]) -> Phrase:
    words = one if one == many or facts["count"] == 1 else many
    made = Phrase(_ENGLISH.vformat(words, (), facts))
    made.one, made.many, made.facts = one, many, facts
    return made


def in_language(sentence: str) -> str:
    """The sentence in the language of the page or call; one that the catalogue lacks stays English."""
    if is_original() or not sentence:
        return str(sentence)
    if not isinstance(sentence, Phrase):
        return gettext(sentence)
    one, many = sentence.one, sentence.many
    words = gettext(one) if one == many else ngettext(one, many, sentence.facts["count"])
    if words in (one, many) and any(isinstance(fact, Name) for fact in sentence.facts.values()):
        # No name of another language within an English sentence.
        return str(sentence)
    return _OTHER.vformat(words, (), sentence.facts)


in_language_lazily = lazy(in_language, str)


def tell(sentence: str, /, **facts: Any) -> str:
    """`phrase`, in the language of the page."""
    return in_language(phrase(sentence, **facts))


def tell_of(number: int, one: str, many: str, /, **facts: Any) -> str:
    """`phrase_of`, in the language of the page."""
    return in_language(phrase_of(number, one, many, **facts))


def shown_amount(minor: int, currency: str) -> str:
    """`5000, usd` → `50.00 USD`, in German `50,00 USD`: every digit, with the signs of the language of the page."""
    if is_original():
        return format_amount(minor, currency)
    amount = to_decimal(minor, currency)
    places = max(-int(Decimal(amount).as_tuple().exponent), 0)
    return f"{number_format(amount, places, use_l10n=True, force_grouping=True)} {currency.upper()}"


def is_original() -> bool:
    """Whether the language of the page or call is the one that sentences are written in."""
    return (get_language() or ORIGINAL).startswith(ORIGINAL)
