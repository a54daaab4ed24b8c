"""The kinds of letters. This app sends them; what they say, the app knows that writes them, and says when it starts:

    kinds.register(Kind("reminder", "reminders", compose_reminders, …))

A letter is composed at the moment it is sent, from the rows as they stand then; one that would not be true any more is
not composed, and left out.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from django.utils.functional import Promise

from accounts.models import Letter, MessagePreferences, User


@dataclass(frozen=True)
class Composed:
    """What a letter says: plain text, paragraphs apart by an empty line. Addresses in it become links in HTML.

    `apart` are those that it is about, each with its name, where a kind can be turned off for one of them alone.
    """

    subject: str
    text: str
    apart: Sequence[tuple[str, int]] = ()


@dataclass(frozen=True)
class Kind:
    """One kind of letter.

    `compose` gets letters of the kind with their readers loaded, and answers what each says, by its id; one that is
    left out of the answer has nothing true to say any more. `wanted` reads a person's preferences, `stop` turns the
    kind off in them; `stop_one` turns it off for one of those that its letters are about, and says what there is no
    more of. `what` names the kind to its readers, in the plural. `subject` and `body` are what it says where staff have
    not written anything else, with placeholders; `example` has a value made up for each of them.
    """

    name: str
    what: str | Promise
    compose: Callable[[Sequence[Letter]], Mapping[int, Composed]]
    wanted: Callable[[MessagePreferences], bool]
    stop: Callable[[MessagePreferences], None]
    stop_one: Callable[[User, int], str] | None = None
    subject: str | Promise = ""
    body: str | Promise = ""
    example: Mapping[str, str] = field(default_factory=dict)


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Make a kind known. Refuses two of one name."""
    if _kinds.get(kind.name, kind) is not kind:
        raise ValueError(f"there is a kind of letters {kind.name} already")
    _kinds[kind.name] = kind


def kind_of(name: str) -> Kind | None:
    """The kind of this name; None where nobody knows it."""
    return _kinds.get(name)


def names() -> list[str]:
    """Of all kinds there are."""
    return sorted(_kinds)
