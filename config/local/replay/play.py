"""Playing a season through the services that everybody else uses, in whatever database is connected."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from config.clock import database_now
from config.local.replay.season import Fate, Season
from config.local.replay.staff import Ruled, Staff
from entries.models import Entry
from entries.queries.pool_numbers import EntryNumbers
from entries.services.imports import ImportResult, RowFile, import_entries
from entries.services.imports.rows import Row
from entries.services.settlement import settle_competition
from pools.models import Competition, Pool
from pools.services.pools import create_pool, publish_pool, start_due_pools
from pools.services.schedule import DrawnRounds, Schedule, apply_schedule, open_rows, read_rounds, read_schedule

# Circa's rules are the defaults: one life, a loss, a tie or a missed pick is the end, those left at the end share.
FEE_CENTS = 100_000
ENTRIES_PER_OWNER = 10

OnRead = Callable[[int, int | None], None]


def _quietly(done: int, size: int | None) -> None:
    """For who does not watch."""


@dataclass(frozen=True)
class PlayedRound:
    """One settled round beside what the contest published; `excused` entries are alive on one side alone."""

    number: int
    name: str
    picks: int
    missed: int
    eliminated: int
    alive_after: int
    published_after: int
    excused: Mapping[str, int]

    @property
    def alive_before(self) -> int:
        return self.alive_after + self.eliminated

    @property
    def is_ok(self) -> bool:
        return self.alive_after == self.published_after + sum(self.excused.values())


@dataclass(frozen=True)
class Difference:
    """An entry that did not end as published."""

    entry: str
    published: Fate | None
    ours: Fate | None
    excuse: str

    @property
    def is_ok(self) -> bool:
        return bool(self.excuse)


class Replay:
    """A season being played: schedule and pool first, then the entries, then round by round."""

    def __init__(self, season: Season) -> None:
        self.season = season
        self.rulings: list[Ruled] = []
        self.schedule: Schedule
        self.drawn: DrawnRounds
        self.pool: Pool

    def open_pool(self, on_read: OnRead = _quietly) -> None:
        """Import the schedule without a result, and open a pool on it."""
        self.schedule = read_schedule(str(self.season.games), season=self.season.year, progress=on_read)
        with open_rows(str(self.season.rounds)) as rows:
            self.drawn = read_rounds(rows)
        competition = self._take_results(through=0)
        now = database_now()
        pool = create_pool(
            competition=competition,
            name=f"Survivor {self.season.year}",
            created_by=None,
            rules={},
            entry_fee_cents=FEE_CENTS,
            max_entries_per_user=ENTRIES_PER_OWNER,
        )
        self.pool = publish_pool(pool=pool, by=None, now=now, allow_past=True)
        start_due_pools(now)

    def import_picks(self, on_read: OnRead = _quietly) -> ImportResult:
        """Import every entry with its picks."""
        file = RowFile(self.season.picks)

        def rows() -> Iterator[Row]:
            for number, row in enumerate(file):
                if number % 500 == 0:
                    on_read(file.position, file.size)
                yield row

        return import_entries(pool=self.pool, rows=rows(), reason=f"replay of {self.season.year}")

    def rounds(self) -> Iterator[PlayedRound]:
        """Take the results of one round after the other, and settle; then comes what staff decided beyond them."""
        for number, name, published in self.season.published_alive():
            self._take_results(through=number)
            settle_competition(competition_id=self.pool.competition_id)
            self._rule(number)
            counted = EntryNumbers().round_numbers(self.pool.pk, [number])[number]
            yield PlayedRound(
                number=number,
                name=name,
                picks=counted.picks_total or 0,
                missed=counted.missed or 0,
                eliminated=counted.eliminated or 0,
                alive_after=counted.alive_after or 0,
                published_after=published,
                excused=self._excused(number),
            )

    def differences(self) -> list[Difference]:
        """Every entry that did not end as published, excused or not."""
        published = self.season.published_fates()
        ours = {
            reference: Fate(status, number)
            for reference, status, number in Entry.objects.filter(pool=self.pool).values_list(
                "reference", "status", "eliminated_round_number"
            )
        }
        return [
            Difference(entry, published.get(entry), ours.get(entry), self._excuse(entry, ours.get(entry)))
            for entry in sorted(published.keys() | ours.keys())
            if published.get(entry) != ours.get(entry)
        ]

    def _rule(self, number: int) -> None:
        decided = [ruling for ruling in self.season.rulings if ruling.round_number == number]
        if decided:
            staff = Staff()
            self.rulings += [staff.rule_not_played(self.pool, ruling) for ruling in decided]

    def _take_results(self, *, through: int) -> Competition:
        return apply_schedule(
            code=f"nfl-{self.season.year}",
            schedule=self.schedule,
            now=database_now(),
            drawn=self.drawn,
            results_through=through,
            source=self.season.games.name,
        ).competition

    def _excused(self, number: int) -> dict[str, int]:
        """Odd entries that are alive after the round on one side alone: 1 where on ours, -1 where on the contest's."""
        found = {}
        for entry, odd in self.season.odd_entries.items():
            shift = _is_alive(odd.ours, number) - _is_alive(odd.published, number)
            if shift:
                found[entry] = shift
        return found

    def _excuse(self, entry: str, ours: Fate | None) -> str:
        odd = self.season.odd_entries.get(entry)
        return odd.because if odd is not None and odd.ours == ours else ""


def _is_alive(fate: Fate, number: int) -> bool:
    return fate.eliminated_round is None or fate.eliminated_round > number
