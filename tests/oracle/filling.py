"""Which picks are made for whoever missed one (rules 17 and 20 to 23)."""

from dataclasses import dataclass

from tests.oracle.grading import grade
from tests.oracle.league import Game, Instant, League
from tests.oracle.pool import Book, Entry, Pick, Pool
from tests.oracle.worth import View


@dataclass
class Filling:
    """One entry's round while it is filled in."""

    view: View
    book: Book
    entry: Entry
    number: int
    games: list[Game]

    def choices(self) -> list[tuple[str, Game, str]]:
        """Teams in the order in which they are tried, with their game and where they come from."""
        as_of_lock = self.entry.list_at(self.view.lock_of(self.number))
        from_list = [(team, self.first_game(team), "fallback") for team in as_of_lock if self.first_game(team)]
        favourites = [(game.favourite[0], game, "favourite") for game in self.by_spread()]
        if self.book.missed_pick == "fallback":
            return from_list + (favourites if self.book.missed_pick_then == "favourite" else [])
        return favourites if self.book.missed_pick == "favourite" else []

    def first_game(self, team: str) -> Game | None:
        """A team that plays twice is filled in with, and rated by, its first such game (21)."""
        games = [game for game in self.games if team in game.teams]
        return min(games, key=lambda game: (game.kickoff, game.id), default=None)

    def by_spread(self) -> list[Game]:
        """Favoured by the most first; equal ones by earlier kickoff, then by the game first listed (22)."""
        favoured = [game for game in self.games if game.favourite and self.first_game(game.favourite[0]) is game]
        return sorted(favoured, key=lambda game: (-game.favourite[1], game.kickoff, game.id))

    def allows(self, team: str, game: Game) -> bool:
        """Never a team twice in a round nor both sides of a game, and never above its limit (17, 21)."""
        here = self.entry.picks_of(self.number)
        if any(pick.team == team or pick.game == game.id for pick in here):
            return False
        uses = [pick for pick in self.entry.picks if pick.team == team and self.counts(pick)]
        return len(uses) < self.book.reuse_limit

    def counts(self, pick: Pick) -> bool:
        """From `reuse_reset_round` on the count starts again; a void pick is not a use (17)."""
        reset = self.book.reuse_reset_round
        is_same_count = reset is None or (pick.round >= reset) == (self.number >= reset)
        return is_same_count and self.view.facts_of(pick).result != "void"


def fill_in(pool: Pool, league: League, number: int, now: Instant) -> list[tuple[Entry, Pick]]:
    """The picks that the round's lock makes; the caller adds them before it asks for the next round.

    Each entry is tried once, when it is first found to be in without its picks.
    """
    view, book = View(pool, league, now), pool.book_of(number)
    made = []
    for entry in lacking(pool, league, number, now):
        made += _filled(Filling(view, book, entry, number, _not_started(view, number)))
    return made


def lacking(pool: Pool, league: League, number: int, now: Instant) -> list[Entry]:
    """Who is still in, plays the round, lacks picks, and has not been tried."""
    view, book = View(pool, league, now), pool.book_of(number)
    if not view.is_revealed(number) or book.missed_pick not in ("fallback", "favourite"):
        return []
    before = grade(pool, league, now, through=number - 1)
    return [
        entry
        for entry in pool.live
        if before.fates[entry.id].status == "active"
        and entry.plays(number)
        and entry.slots_missing(number, book.asks_for(number))
        and number not in entry.tried
    ]


def _not_started(view: View, number: int) -> list[Game]:
    """Kickoff after the lock, or at it where every game of the round kicks off at the lock (21)."""
    lock, games = view.lock_of(number), view.games_of(number)
    # A game that had started and was put off keeps its early lock, and is no game of the lock for that.
    last = max((game.locks_at for game in games), default=None)
    return [game for game in games if not game.is_off and (game.locks_at > lock or game.locks_at == lock == last)]


def _filled(filling: Filling) -> list[tuple[Entry, Pick]]:
    made = []
    for slot in filling.entry.slots_missing(filling.number, filling.book.asks_for(filling.number)):
        found = next((it for it in filling.choices() if filling.allows(*it[:2])), None)
        if found is None:
            break
        team, game, source = found
        pick = Pick(filling.number, team, game.id, slot, source)
        filling.entry.picks.append(pick)  # for the second slot to see
        made.append((filling.entry, pick))
    for entry, pick in made:
        entry.picks.remove(pick)
    return made


def fill_in_all(pool: Pool, league: League, now: Instant, *, through: int | None = None) -> list[tuple[Entry, Pick]]:
    """Round by round, each round's picks in place before the next is looked at (23); so settlement would do it."""
    made = []
    for number in pool.rounds:
        if through is None or number <= through:
            these = fill_in(pool, league, number, now)
            for entry in lacking(pool, league, number, now):
                entry.tried.add(number)
            for entry, pick in these:
                entry.picks.append(pick)
            made += these
    return made
