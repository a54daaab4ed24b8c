"""A real season as files: its schedule, how the contest cut it into rounds, everybody's picks, what became of them."""

import csv
import gzip
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from config.local import home

SEASONS = ("2020", "2021", "2024")


class DataMissing(Exception):
    """The season's files are not where they should be."""


class Fate(NamedTuple):
    """How an entry ended: its status, and the round in which it fell."""

    status: str
    eliminated_round: int | None


class Odd(NamedTuple):
    """An entry that ends otherwise here than in the contest, for a known reason."""

    published: Fate
    ours: Fate
    because: str


class NotPlayed(NamedTuple):
    """A game that the contest's staff counted as not played in the round whose picks it had."""

    game: str
    round_number: int
    because: str


# What results alone do not tell: it takes a ruling.
RULINGS: Mapping[str, tuple[NotPlayed, ...]] = {
    "2020": (
        NotPlayed("2020_12_BAL_PIT", 12, "Moved from Thanksgiving to the next Wednesday; a moved game counts as lost."),
    ),
}

# No ruling repeats this: the contest broke its own rule, and the database does not.
ODD_ENTRIES: Mapping[str, Mapping[str, Odd]] = {
    "2021": {
        "998-6": Odd(
            Fate("eliminated", 6),
            Fate("eliminated", 5),
            "it picked NE in rounds 2 and 5; the second is refused here, and the contest let it stand",
        )
    },
}


@dataclass(frozen=True)
class Season:
    """One season of the contest. Raises DataMissing where a file is not there."""

    year: str
    folder: Path = field(default_factory=lambda: data_folder())

    def __post_init__(self) -> None:
        missing = [path for path in (self.games, self.rounds, self.picks, *self._published) if not path.exists()]
        if missing:
            listed = "\n".join(f"    {path}" for path in missing)
            raise DataMissing(
                f"The data of season {self.year} is not there:\n\n{listed}\n\n"
                "It carries no licence and is not part of the project. Put it there, or say in OUTLAST_SHARED_DATA"
                " which folder holds nfl/ and circa/."
            )

    @property
    def games(self) -> Path:
        return self.folder / "nfl" / "games.csv"

    @property
    def rounds(self) -> Path:
        return self._contest / "rounds.csv"

    @property
    def picks(self) -> Path:
        return self._contest / "picks.csv.gz"

    @property
    def odd_entries(self) -> Mapping[str, Odd]:
        return ODD_ENTRIES.get(self.year, {})

    @property
    def rulings(self) -> tuple[NotPlayed, ...]:
        return RULINGS.get(self.year, ())

    def published_fates(self) -> dict[str, Fate]:
        """What became of every entry, by its name."""
        with gzip.open(self._published[0], "rt", encoding="utf-8", newline="") as file:
            return {
                row["entry"]: Fate(row["status"], int(row["eliminated_round"]) if row["eliminated_round"] else None)
                for row in csv.DictReader(file)
            }

    def published_alive(self) -> Iterator[tuple[int, str, int]]:
        """Of every round: number, name, how many were left after it."""
        with self._published[1].open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                yield int(row["round"]), row["name"], int(row["alive_after"])

    @property
    def _contest(self) -> Path:
        return self.folder / "circa" / self.year

    @property
    def _published(self) -> tuple[Path, Path]:
        return self._contest / "expected_entries.csv.gz", self._contest / "alive_by_round.csv"


def data_folder() -> Path:
    """Where the real seasons lie."""
    named = os.environ.get("OUTLAST_SHARED_DATA", "").strip()
    return Path(named).expanduser() if named else home.ROOT.parent / "shared" / "data"
