"""Who falls, when and why (rules 12 to 16), and how a pool ends (rules 24 to 27)."""

from dataclasses import dataclass, field

from tests.oracle.league import Instant, League
from tests.oracle.pool import Book, Entry, Pool
from tests.oracle.prizes import margin_of, prizes_of
from tests.oracle.worth import View


@dataclass
class Fate:
    """What settlement says of an entry; `rules_version` is the one its elimination quotes."""

    status: str = "active"
    strikes: int = 0
    eliminated_round: int | None = None
    eliminated_code: str = ""
    rules_version: int | None = None
    prize: int | None = None


@dataclass
class Verdict:
    fates: dict[int, Fate]
    ended_round: int | None = None

    @property
    def is_finished(self) -> bool:
        return self.ended_round is not None


@dataclass
class Ledger:
    """The losses an entry has survived, as a person would keep them; `out` is round, code and rules version."""

    entry: Entry
    losses: int = 0
    out: tuple[int, str, int] | None = None


@dataclass
class Ending:
    """The round of the end, and who came out of it in which order: best first, equals together."""

    round: int
    winners: list[Entry]
    runners_up: list[list[Entry]] = field(default_factory=list)


def grade(pool: Pool, league: League, now: Instant, *, through: int | None = None) -> Verdict:
    """The fate of every entry at that instant; with `through`, as if the rounds after it had not been looked at."""
    view = View(pool, league, now)
    ledgers = [_opened(pool, entry) for entry in pool.live]
    ending, no_gap = None, True
    for number in pool.rounds:
        if through is not None and number > through:
            break
        players = [it for it in ledgers if it.out is None and it.entry.plays(number)]
        before = [(it, it.losses) for it in players]
        for ledger in players:
            _play(view, ledger, number)
        no_gap = no_gap and view.is_complete(number)
        if not no_gap:
            continue
        if pool.book_of(number).all_out == "revive" and players and all(it.out for it in players):
            for ledger, losses in before:
                ledger.losses, ledger.out = losses, None
        left = [it for it in ledgers if it.out is None]
        is_decided = len(left) <= 1 and ledgers
        if (is_decided or number == pool.last_round) and not _may_still_come_in(view, number):
            ending = _the_end(view, ledgers, number)
            break
    return _verdict(pool, view, ledgers, ending)


def _opened(pool: Pool, entry: Entry) -> Ledger:
    """With `late_entry_strikes` each round before an entry's first is a strike (32)."""
    book = pool.book_of(max(entry.first_round, pool.first_round))
    missed = max(entry.first_round - pool.first_round, 0)
    return Ledger(entry, missed if book.late_entry_strikes else 0)


def _play(view: View, ledger: Ledger, number: int) -> None:
    """A round costs at most one loss (12); the one after `strikes` others eliminates (15)."""
    book = view.pool.book_of(number)
    loss = _loss(view, book, ledger.entry, number)
    if loss is None or ledger.entry.is_spared(number):
        return
    code, eliminates = loss
    if eliminates or ledger.losses >= book.strikes:
        ledger.out = (number, code, book.version)
    else:
        ledger.losses += 1


def _loss(view: View, book: Book, entry: Entry, number: int) -> tuple[str, bool] | None:
    """The loss that a round brings: its code (14), and whether it eliminates whatever strikes are left (13)."""
    picks = [pick for pick in entry.picks_of(number) if pick.slot <= book.asks_for(number)]
    is_missing = len(picks) < book.asks_for(number) and view.is_closed(number) and view.has_begun(number)
    policy = book.missed_pick_then if book.missed_pick == "fallback" else book.missed_pick
    if is_missing and policy != "strike":
        return "no_pick", True
    for pick in picks:
        worth = view.worth_of(pick)
        if worth.result == "lost":
            return worth.code, False
    return ("no_pick", False) if is_missing else None


def _may_still_come_in(view: View, number: int) -> bool:
    """Late entries and buy-backs keep a pool open (26); after its last round there is nothing to come into."""
    if number == view.pool.last_round:
        return False
    book = view.pool.book_of(number)
    if book.late_entry_until is not None and not view.is_revealed(book.late_entry_until):
        return True
    return book.buy_back_until is not None and number <= book.buy_back_until and not view.is_revealed(number + 1)


def _the_end(view: View, ledgers: list[Ledger], number: int) -> Ending:
    book = view.pool.book_of(number)
    left = [it.entry for it in ledgers if it.out is None]
    if left:
        if len(left) == 1 or number < view.pool.last_round or book.last_round == "split":
            return Ending(number, left)
        best, *others = _by_margin(view, left, number)
        for ledger in ledgers:
            if ledger.out is None and ledger.entry not in best:
                ledger.out = (number, "tiebreak", book.version)
        return Ending(number, best, others)
    fell = [it.entry for it in ledgers if it.out[0] == number]
    submitted = [entry for entry in fell if entry.picks_of(number)]
    rest = [[entry for entry in fell if entry not in submitted]] if submitted else []
    if book.all_out == "tiebreak" and fell:
        best, *others = _by_margin(view, submitted or fell, number)
        return Ending(number, best, others + rest)
    return Ending(number, submitted or fell, rest)


def _by_margin(view: View, entries: list[Entry], number: int) -> list[list[Entry]]:
    """Highest margin first, equal ones together (28)."""
    groups: dict[int, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(margin_of(view, entry, number), []).append(entry)
    return [groups[margin] for margin in sorted(groups, reverse=True)]


def _verdict(pool: Pool, view: View, ledgers: list[Ledger], ending: Ending | None) -> Verdict:
    fates = {entry.id: Fate("void") for entry in pool.entries if entry.is_void}
    for ledger in ledgers:
        fates[ledger.entry.id] = fate = Fate(strikes=ledger.losses)
        if ending and ledger.entry in ending.winners:
            fate.status = "winner"
        elif ledger.out:
            fate.status = "eliminated"
            fate.eliminated_round, fate.eliminated_code, fate.rules_version = ledger.out
    if ending is None:
        return Verdict(fates)
    for entry, cents in prizes_of(pool, ending.round, _ranking(ledgers, ending)).items():
        fates[entry].prize = cents
    return Verdict(fates, ending.round)


def _ranking(ledgers: list[Ledger], ending: Ending) -> list[list[Entry]]:
    """Winners, those who lost the tiebreak or had not submitted, then the others: the later out the better (31)."""
    placed = [ending.winners, *ending.runners_up]
    others = [it for it in ledgers if it.out and not any(it.entry in group for group in placed)]
    by_round = [[it.entry for it in others if it.out[0] == number] for number in range(ending.round, 0, -1)]
    return [group for group in placed + by_round if group]
