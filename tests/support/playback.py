"""A real season as it would have happened here, beside the same season in the oracle's hands.

The schedule is imported as it is published, but decades ahead: every game lies in the future until its kickoff comes.
Then it is in the past, the next import brings its result, and settlement runs. Entries come by import, before the first
lock. What time it is, the oracle's kickoffs say; after each step both must tell the same of every entry.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from django.db import connection

from config.clock import database_now
from entries.models import Entry, Fallback, Pick
from entries.services.imports import import_entries
from entries.services.imports.rows import Row
from entries.services.settlement import settle_competition
from pools.models import Competition, Rules
from pools.services.pools import create_pool, publish_pool
from pools.services.schedule import DrawnRounds, Schedule, apply_schedule
from tests import oracle
from tests.oracle.seasons import FEE_CENTS, Season

# Whole weeks, so that the time of day stays what it is.
AHEAD = timedelta(weeks=52 * 40)
MOST_ENTRIES = 10
FATE = ("pk", "status", "strikes", "eliminated_round_number", "eliminated_code", "rules_version", "prize_cents")
MOST_SHOWN = 5
KICK_OFF = """
    UPDATE pools_game SET kickoff_at = kickoff_at - %s WHERE competition_id = %s AND external_id = ANY(%s)
"""


class Playback:
    """The oracle's `season` comes with every result; they are taken away, and given back as games are played."""

    def __init__(self, season: Season, schedule: Schedule, drawn: DrawnRounds | None = None) -> None:
        self.season, self.schedule, self.drawn = season, schedule, drawn
        self.league, self.oracles_pool = season.league, season.pool
        self.scores = {name: (game.home_score, game.away_score) for name, game in season.games.items()}
        for game in season.games.values():
            game.report("scheduled")
        self.played: set[str] = set()
        self.competition = self._import_schedule()
        self._open_pool()

    def _open_pool(self) -> None:
        (book,) = self.oracles_pool.books
        switches = {key: getattr(book, key) for key in Rules.KEYS}
        switches |= {"two_pick_rounds": list(book.two_pick_rounds), "payout_table": list(book.payout_table)}
        draft = create_pool(
            competition=self.competition, name="Playback", created_by=None, rules=switches, entry_fee_cents=FEE_CENTS,
            max_entries_per_user=MOST_ENTRIES,
        )  # fmt: skip
        self.pool = publish_pool(pool=draft, by=None, now=database_now())

    def bring_entries(self, rows: Iterable[Row]) -> None:
        """Import them, give both sides the same ids, and save the players' lists."""
        import_entries(pool=self.pool, rows=rows, reason="playback")
        ids = dict(Entry.objects.filter(pool=self.pool).values_list("reference", "pk"))
        assert set(ids) == set(self.season.names.values())
        for entry in self.oracles_pool.entries:
            entry.id = ids[self.season.names[entry.id]]
        teams = self._teams()
        Fallback.objects.bulk_create(
            Fallback(entry_id=entry.id, team_ids=[teams[team] for team in entry.fallback])
            for entry in self.oracles_pool.entries
            if entry.fallback
        )

    def _teams(self) -> dict[str, int]:
        """Our ids by what the season calls its teams: their codes, or their names."""
        found: dict[str, int] = {}
        for pk, code, name in self.competition.teams.values_list("pk", "code", "name"):
            found |= {code: pk, name: pk}
        return found

    # --- Time -------------------------------------------------------------------------------------------------------

    def ends_of_rounds(self) -> list[datetime]:
        """When the last game of each round kicks off, in the order in which that happens."""
        return sorted({self._kickoffs_of(number)[-1] for number in self.oracles_pool.rounds})

    def middles_and_ends_of_rounds(self) -> list[datetime]:
        """And when half of its games have kicked off."""
        kickoffs = [self._kickoffs_of(number) for number in self.oracles_pool.rounds]
        return sorted({at[len(at) // 2] for at in kickoffs} | {at[-1] for at in kickoffs})

    def _kickoffs_of(self, number: int) -> list[datetime]:
        return sorted(game.kickoff for game in self.season.games.values() if game.round == number)

    def play_until(self, now: datetime) -> None:
        """All that has kicked off by then is played, its results come, and settlement runs."""
        due = {name for name, game in self.season.games.items() if game.kickoff <= now} - self.played
        locked = [number for number in self.oracles_pool.rounds if self._locks_with(number, due)]
        self.played |= due
        with connection.cursor() as cursor:
            cursor.execute(KICK_OFF, [AHEAD, self.competition.pk, list(due)])
        self._import_schedule()
        settle_competition(competition_id=self.competition.pk)
        for name in due:
            self.season.games[name].report("final", *self.scores[name])
        for number in locked:
            self._fill_in(number, now)

    def _locks_with(self, number: int, due: set[str]) -> bool:
        lock = self._kickoffs_of(number)[0]
        return any(self.season.games[name].round == number and self.season.games[name].kickoff == lock for name in due)

    def _import_schedule(self) -> Competition:
        """As the league has it at this moment."""
        fixtures = [
            fixture
            if fixture.external_id in self.played
            else replace(fixture, kickoff_at=fixture.kickoff_at + AHEAD, home_score=None, away_score=None)
            for fixture in self.schedule.fixtures
        ]
        schedule = replace(self.schedule, fixtures=fixtures)
        return apply_schedule(code="playback", schedule=schedule, now=database_now(), drawn=self.drawn).competition

    def _fill_in(self, number: int, now: datetime) -> None:
        """Where the round has just locked, for the oracle. Nobody is tried again, for nobody who is out comes back."""
        for entry, pick in oracle.fill_in(self.oracles_pool, self.league, number, now):
            entry.picks.append(pick)

    # --- What both say ----------------------------------------------------------------------------------------------

    def expect(self, now: datetime) -> oracle.Verdict:
        """The fates of all entries, and the pool's end, are as the oracle says; what it says."""
        verdict = oracle.grade(self.oracles_pool, self.league, now)
        rows = {pk: oracle.Fate(*fate) for pk, *fate in Entry.objects.filter(pool=self.pool).values_list(*FATE)}
        assert rows.keys() == verdict.fates.keys()
        wrong = [(self._name(pk), fate, verdict.fates[pk]) for pk, fate in rows.items() if fate != verdict.fates[pk]]
        assert not wrong, f"{len(wrong)} entries differ (entry, tables, oracle): {wrong[:MOST_SHOWN]}"
        self.pool.refresh_from_db()
        assert (self.pool.status == "finished", self.pool.ended_round_number) == (
            verdict.is_finished, verdict.ended_round,
        )  # fmt: skip
        return verdict

    def expect_picks(self) -> None:
        """All picks are as the oracle has them, those that were filled in too."""
        games = {game.id: name for name, game in self.season.games.items()}
        teams = self._teams()
        theirs = {
            (entry.id, pick.round, pick.slot, teams[pick.team], games[pick.game], pick.source)
            for entry in self.oracles_pool.entries
            for pick in entry.picks
        }
        ours = set(
            Pick.objects.filter(entry__pool=self.pool).values_list(
                "entry_id", "round__number", "slot", "team_id", "game__external_id", "source"
            )
        )
        assert ours == theirs, f"tables alone {sorted(ours - theirs)[:5]}, oracle alone {sorted(theirs - ours)[:5]}"

    def _name(self, pk: int) -> str:
        return Entry.objects.values_list("reference", flat=True).get(pk=pk)


def play(playback: Playback, instants: Iterable[datetime], *, look_every: int = 1) -> oracle.Verdict:
    """Through these instants, with a look at every so many of them, until the pool has ended; then to the last."""
    *before, last = instants
    for nth, now in enumerate(before):
        playback.play_until(now)
        if nth % look_every == 0 and playback.expect(now).is_finished:
            break
    playback.play_until(last)
    verdict = playback.expect(last)
    playback.expect_picks()
    assert settle_competition(competition_id=playback.competition.pk, afresh=True).difference.is_nothing
    return verdict
