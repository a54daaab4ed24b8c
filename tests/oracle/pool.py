"""What a pool is to the grader: its rules by version, its entries, their picks, fees and reprieves."""

from dataclasses import dataclass, field, fields

from tests.oracle.league import Instant


class Brief:
    """Shows of itself what is not as usual: a season that fails must fit on a page."""

    def __repr__(self) -> str:
        said = [
            f"{it.name}={value!r}" for it in fields(self) if (value := getattr(self, it.name)) and value != it.default
        ]
        return f"{type(self).__name__}({', '.join(said)})"

    def _repr_pretty_(self, printer, cycle) -> None:
        printer.text(repr(self))


@dataclass(frozen=True, repr=False)
class Book(Brief):
    """One version of the rules: every switch of design.md §5, governing from round `effective` on."""

    version: int = 1
    effective: int = 1
    lock: str = "round"
    strikes: int = 0
    tie: str = "loss"
    missed_pick: str = "eliminate"
    missed_pick_then: str = "eliminate"
    cancelled_game: str = "loss"
    picks_per_round: int = 1
    two_pick_rounds: tuple[int, ...] = ()
    reuse_limit: int = 1
    reuse_reset_round: int | None = None
    all_out: str = "split"
    last_round: str = "split"
    late_entry_until: int | None = None
    late_entry_strikes: bool = False
    buy_back_until: int | None = None
    buy_back_limit: int = 0
    buy_back_fee_cents: int = 0
    payout: str = "equal"
    payout_table: tuple[int, ...] = ()
    house_fee_bp: int = 0

    def asks_for(self, number: int) -> int:
        """How many teams a round wants (12)."""
        return 2 if number in self.two_pick_rounds else self.picks_per_round


@dataclass(repr=False)
class Pick(Brief):
    """`game` is the id of the team's game as the pick was made; where that game is now, the league knows."""

    round: int
    team: str
    game: int
    slot: int = 1
    source: str = "player"


@dataclass(repr=False)
class Fee(Brief):
    cents: int
    is_refunded: bool = False


@dataclass(repr=False)
class Reprieve(Brief):
    """A buy-back or a reinstatement (33, 34): losses of rounds from..before-1 do not count."""

    from_round: int
    before_round: int
    is_revoked: bool = False

    def covers(self, number: int) -> bool:
        return not self.is_revoked and self.from_round <= number < self.before_round

    def sits_out(self, number: int) -> bool:
        """It fell in `from_round`, and played that; the rounds after, up to its return, it does not play."""
        return self.covers(number) and number > self.from_round


@dataclass(repr=False)
class Entry(Brief):
    """A place. `fees` are what was paid for it and for coming back; a disqualified place is void, its fee is not.

    `fallback` is the list it came with, `lists` what it became later and when. `tried` are the rounds for which filling
    in was tried: what could not be filled then stays missing.
    """

    id: int
    first_round: int = 1
    picks: list[Pick] = field(default_factory=list)
    fallback: list[str] = field(default_factory=list)
    lists: list[tuple[Instant, list[str]]] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)
    fees: list[Fee] = field(default_factory=list)
    reprieves: list[Reprieve] = field(default_factory=list)
    is_void: bool = False

    def picks_of(self, number: int) -> list[Pick]:
        return sorted((pick for pick in self.picks if pick.round == number), key=lambda pick: pick.slot)

    def slots_missing(self, number: int, asked: int) -> list[int]:
        taken = {pick.slot for pick in self.picks_of(number)}
        return [slot for slot in range(1, asked + 1) if slot not in taken]

    def list_at(self, instant: Instant) -> list[str]:
        return [self.fallback, *(teams for at, teams in self.lists if at <= instant)][-1]

    def is_spared(self, number: int) -> bool:
        return any(reprieve.covers(number) for reprieve in self.reprieves)

    def plays(self, number: int) -> bool:
        """Whether the round is one of its own, if it is still in by then."""
        return number >= self.first_round and not any(reprieve.sits_out(number) for reprieve in self.reprieves)


@dataclass(repr=False)
class Pool(Brief):
    last_round: int
    first_round: int = 1
    books: list[Book] = field(default_factory=lambda: [Book()])
    entries: list[Entry] = field(default_factory=list)

    @property
    def rounds(self) -> range:
        return range(self.first_round, self.last_round + 1)

    @property
    def live(self) -> list[Entry]:
        """Void places count nowhere (24)."""
        return sorted((entry for entry in self.entries if not entry.is_void), key=lambda entry: entry.id)

    def book_of(self, number: int) -> Book:
        """The newest version whose effective round is that round or an earlier one (6)."""
        return max((book for book in self.books if book.effective <= number), key=lambda book: book.version)
