"""Names of columns, fields, filters, actions and states in the language of whoever reads them.

They stand in the code in English, once, as what they are: a field's own name, the words of a state. Where the back
office shows one it is looked up in the catalogue (`config/locale`), whose entries begin with a capital letter; what is
not in it stays as it is. API and reports show the same in every language, and do not look here.
"""

from collections.abc import Iterable
from typing import Any

from django.utils.functional import lazy
from django.utils.text import capfirst
from django.utils.translation import gettext


def named(text: Any) -> str:
    """The name in the language of the page, with a capital letter."""
    words = str(capfirst(str(text)))
    # An empty text is how a catalogue describes itself.
    return gettext(words) if words else ""


named_lazily = lazy(named, str)


def named_choices(choices: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """What there is to choose, by names that are looked up when they are shown."""
    return [(value, named_lazily(label)) for value, label in choices]
