"""Margins and money (rules 28 to 31). All of it in whole cents."""

from tests.oracle.pool import Entry, Pool
from tests.oracle.worth import View


def margin_of(view: View, entry: Entry, through: int) -> int:
    """Points for less points against, over its picks up to that round in final games of the pick's round (28)."""
    margin = 0
    for pick in entry.picks:
        game = view.game(pick)
        if pick.round <= through and game.status == "final" and game.round == pick.round:
            margin += game.margin_of(pick.team)
    return margin


def pot_of(pool: Pool) -> int:
    """The fees paid, a disqualified place's too, each less the house's part rounded down (29)."""
    bp = pool.books[-1].house_fee_bp  # no amendment changes it
    fees = [fee.cents for entry in pool.entries for fee in entry.fees if not fee.is_refunded]
    return sum(cents - cents * bp // 10_000 for cents in fees)


def prizes_of(pool: Pool, number: int, ranking: list[list[Entry]]) -> dict[int, int]:
    """Cents by entry id. `ranking` is best first, equals together; who is not named gets nothing."""
    pot, book = pot_of(pool), pool.book_of(number)
    if not ranking:
        return {}
    if book.payout == "equal":
        return _shared(pot, ranking[0])
    return _by_table(pot, book.payout_table, ranking)


def _by_table(pot: int, table: tuple[int, ...], ranking: list[list[Entry]]) -> dict[int, int]:
    """Equals share the sum of their ranks; what ranks would get that nobody takes goes to the first (31)."""
    amounts, taken = [], 0
    for group in ranking:
        amounts.append(_up_to(pot, table, taken + len(group)) - _up_to(pot, table, taken))
        taken += len(group)
    amounts[0] += _up_to(pot, table, len(table)) - _up_to(pot, table, taken)
    prizes, rank = {}, 0
    for group, amount in zip(ranking, amounts, strict=True):
        if rank < len(table):
            prizes |= _shared(amount, group)
        rank += len(group)
    return prizes


def _up_to(pot: int, table: tuple[int, ...], rank: int) -> int:
    return pot * sum(table[:rank]) // 10_000


def _shared(cents: int, group: list[Entry]) -> dict[int, int]:
    """Equal shares; cents that do not divide go to the lowest ids, one each (30)."""
    share, over = divmod(cents, len(group))
    ids = sorted(entry.id for entry in group)
    return {id: share + (1 if place < over else 0) for place, id in enumerate(ids)}
