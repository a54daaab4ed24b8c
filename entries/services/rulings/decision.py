"""What every kind of ruling knows how to do, and how it is refused."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from config.errors import Code, Conflict, Refused, invalid
from config.phrases import Name, phrase
from entries.models import Entry, EntryStatus, Ruling
from entries.queries.rulings import GRADED
from pools.models import Pool

Details = Mapping[str, Any]


class Stale(Conflict):
    """The world is not what the ruling was made for, or is so already."""

    def __init__(self, message: str, **details: Any) -> None:
        super().__init__(Code.RULING_STALE, message, details)


class Decision(ABC):
    """One ruling, to be carried out or undone.

    All four run under the competition's settlement lock, in one transaction with the settlement that follows.
    """

    # Keys of `details` that a proposal may give.
    KEYS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, ruling: Ruling) -> None:
        self.ruling = ruling

    @abstractmethod
    def look(self) -> None:
        """Lock what it touches. Refuses what is not possible as things stand now."""

    @abstractmethod
    def carry_out(self) -> dict[str, Any]:
        """Make it so; gives how things stood before, to be kept."""

    @abstractmethod
    def look_back(self) -> None:
        """Lock what it touched. Refuses when things are not as it left them."""

    @abstractmethod
    def undo(self, *, reversal: Ruling) -> None:
        """Bring back how things stood before."""


def check_keys(details: Details, allowed: Iterable[str]) -> None:
    """Raises VALIDATION_ERROR for what this kind of ruling does not know."""
    for key in details:
        if key not in allowed:
            raise invalid(f"details.{key}", "A ruling of this kind does not take it.")


def whole_number(details: Details, key: str, *, at_least: int = 1, at_most: int = 999) -> int:
    """Raises VALIDATION_ERROR for anything else."""
    value = details.get(key)
    if not isinstance(value, int) or isinstance(value, bool) or not at_least <= value <= at_most:
        raise invalid(
            f"details.{key}",
            phrase("Must be a whole number from {at_least} to {at_most}.", at_least=at_least, at_most=at_most),
        )
    return value


def lock_entry(ruling: Ruling) -> Entry:
    """The entry, its pool locked before it. Refuses a pool that is not and was not in play."""
    # The database holds it: `ruling_names_its_subject`.
    assert ruling.pool_id is not None
    assert ruling.entry_id is not None
    pool = Pool.objects.locked().get(pk=ruling.pool_id)
    if pool.status not in GRADED:
        raise Refused(
            Code.POOL_CLOSED, phrase("The pool is {status}.", status=Name(pool.status)), {"status": pool.status}
        )
    entry = Entry.objects.locked().get(pk=ruling.entry_id)
    # Read under its lock above, not through the cached relation of an older look.
    entry.pool = pool
    return entry


def refuse_void(entry: Entry) -> None:
    """A place that was taken back is ruled about no more, but by undoing that."""
    if entry.status == EntryStatus.VOID:
        raise Refused(Code.ENTRY_NOT_ACTIVE, "This entry is void.", {"status": str(entry.status)})
