"""Random competitions with pools, rules, entries and picks: small enough to read, odd enough to find things.

Instants are minutes. Kickoffs are multiples of ten; the moments in between are for looking.
"""

from dataclasses import replace

from hypothesis import strategies as st

from tests.oracle.league import Game, League
from tests.oracle.pool import Book, Entry, Fee, Pick, Pool

TEAMS = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX", "GNU", "HEN")
# Kickoffs of a round's games after its first: all at once, a normal weekend, one game early, each on its own.
WEEKENDS = ((0, 0, 0, 0), (0, 30, 30, 60), (0, 50, 50, 50), (0, 20, 40, 60))
SPREADS = (None, 0, 3, -3, 3, -7.5, 10.5)
# A holiday round inside another's week begins before that one's last game.
GAPS = (200, 200, 200, 40)
FEE_CENTS = 1_001
TABLES = ((10_000,), (7_000, 3_000), (5_000, 3_000, 2_000), (3_334, 3_333, 3_333), (2_000, 2_000, 2_000, 2_000, 2_000))


@st.composite
def leagues(draw):
    """Two, or four to six, rounds of two to four games; every team plays once a round at most."""
    games, fixed, start = [], {}, 100
    for number in range(1, draw(st.sampled_from((2, 4, 4, 5, 6))) + 1):
        weekend, count = draw(st.sampled_from(WEEKENDS)), draw(st.integers(2, 4))
        for home, away, late in list(zip(*_pairs(number), weekend, strict=True))[:count]:
            games.append(Game(len(games) + 1, number, home, away, start + late, draw(st.sampled_from(SPREADS))))
        early = draw(st.sampled_from((None, None, None, -10, 10)))
        if early:
            fixed[number] = start + early
        start += draw(st.sampled_from(GAPS))
    return League(games, fixed)


def _pairs(number: int) -> tuple[list[str], list[str]]:
    """Everybody meets everybody: one team stays, the others go round."""
    first, *others = TEAMS
    turned = others[number % 7 :] + others[: number % 7]
    table = [first, *turned]
    return table[:4], table[:3:-1]


@st.composite
def books(draw, first: int, last: int):
    """Rules that nobody would refuse."""
    rounds = st.integers(first, last)
    rules = {
        "lock": draw(st.sampled_from(("round", "round", "game"))),
        "strikes": draw(st.sampled_from((0, 1, 2))),
        "tie": draw(st.sampled_from(("loss", "win", "void"))),
        "missed_pick": draw(st.sampled_from(("eliminate", "strike", "favourite", "fallback", "fallback"))),
        "cancelled_game": draw(st.sampled_from(("loss", "win", "void", "repick"))),
        "all_out": draw(st.sampled_from(("split", "revive", "tiebreak"))),
        "last_round": draw(st.sampled_from(("split", "tiebreak"))),
        "reuse_limit": draw(st.sampled_from((1, 1, 2))),
        "house_fee_bp": draw(st.sampled_from((0, 0, 1_000, 333))),
        "payout_table": draw(st.sampled_from(((), (), *TABLES))),
    }
    rules["payout"] = "table" if rules["payout_table"] else "equal"
    if rules["missed_pick"] == "fallback":
        rules["missed_pick_then"] = draw(st.sampled_from(("eliminate", "strike", "favourite")))
    twice = draw(st.sampled_from(("never", "never", "some", "always")))
    rules["picks_per_round"] = 2 if twice == "always" else 1
    rules["two_pick_rounds"] = tuple(sorted(draw(st.sets(rounds, max_size=2)))) if twice == "some" else ()
    if first < last:
        rules |= draw(_comings(first, last, rules["strikes"], rules["reuse_limit"]))
    return Book(effective=first, **rules)


@st.composite
def _comings(draw, first: int, last: int, strikes: int, reuse_limit: int):
    """Coming late, coming back, and counting teams anew: what needs more than one round."""
    rules = {}
    if draw(st.booleans()):
        rules["late_entry_until"] = until = draw(st.integers(first, last))
        rules["late_entry_strikes"] = until - first <= strikes and draw(st.booleans())
    if draw(st.booleans()):
        rules["buy_back_until"] = draw(st.integers(first, last - 1))
        rules |= {"buy_back_limit": draw(st.integers(1, 2)), "buy_back_fee_cents": draw(st.sampled_from((0, 503)))}
    if reuse_limit <= last - first and draw(st.integers(0, 2)) == 2:
        rules["reuse_reset_round"] = draw(st.integers(first + 1, last))
    return rules


@st.composite
def amended(draw, book: Book, first: int, last: int, effective: int):
    """The next version: what may change once people have paid and rounds have locked."""
    changes = {"version": book.version + 1, "effective": effective}
    for key, values in (
        ("strikes", (0, 1, 2)),
        ("tie", ("loss", "win", "void")),
        ("cancelled_game", ("loss", "win", "void", "repick")),
        ("all_out", ("split", "revive", "tiebreak")),
        ("last_round", ("split", "tiebreak")),
        ("missed_pick", ("eliminate", "strike", "favourite")),
        ("reuse_limit", (1, 2)),
    ):
        if draw(st.booleans()):
            changes[key] = draw(st.sampled_from(values))
    if "missed_pick" in changes:
        changes["missed_pick_then"] = "eliminate"
    if book.late_entry_strikes:
        changes["strikes"] = max(changes.get("strikes", book.strikes), book.late_entry_until - first)
    if book.reuse_reset_round:
        changes["reuse_limit"] = min(changes.get("reuse_limit", 1), last - first)
    return replace(book, **changes)


@st.composite
def pools(draw, league: League, rounds: int):
    first = draw(st.sampled_from((1, 1, 1, 2)))
    pool = Pool(draw(st.sampled_from((rounds, rounds, max(first, rounds - 1)))), first)
    pool.books = [draw(books(first, pool.last_round))]
    for _ in range(draw(st.integers(1, 6))):
        pool.entries.append(draw(entries(league, pool, first)))
    return pool


@st.composite
def entries(draw, league: League, pool: Pool, first_round: int, now: int = 0):
    """An entry with picks for every round from its first on, now and then none. Ids are given by who adds it."""
    entry = Entry(0, first_round, fees=[Fee(FEE_CENTS)])
    for number in range(first_round, pool.last_round + 1):
        for slot in range(1, pool.book_of(number).asks_for(number) + 1):
            if draw(st.integers(0, 6)):
                draw(picked(league, pool, entry, number, slot, now))
    if draw(st.booleans()):
        entry.fallback = draw(st.lists(st.sampled_from(TEAMS), max_size=4, unique=True))
    return entry


@st.composite
def picked(draw, league: League, pool: Pool, entry: Entry, number: int, slot: int, now: int = 0):
    """Pick a team that the entry may still use, where there is one; says whether.

    Where each game locks for itself, one that has locked stays so in whatever round it is.
    """
    book, here = pool.book_of(number), entry.picks_of(number)
    used = [pick.team for pick in entry.picks if _counts_with(book, pick.round, number)]
    options = [
        (team, game.id)
        for game in league.games_of(number)
        if book.lock == "round" or game.locks_at > now
        for team in (game.home, game.home, game.away)
        if used.count(team) < book.reuse_limit and team not in [pick.team for pick in here]
    ]
    if not options:
        return False
    team, game_id = draw(st.sampled_from(options))
    entry.picks.append(Pick(number, team, game_id, slot))
    return True


def _counts_with(book: Book, other: int, number: int) -> bool:
    reset = book.reuse_reset_round
    return reset is None or (other >= reset) == (number >= reset)


@st.composite
def worlds(draw):
    """A league and one or two pools on it."""
    league = draw(leagues())
    rounds = max(game.round for game in league.games)
    found = [draw(pools(league, rounds)) for _ in range(draw(st.integers(1, 2)))]
    for id, entry in enumerate((entry for pool in found for entry in pool.entries), start=1):
        entry.id = id
    return league, found
