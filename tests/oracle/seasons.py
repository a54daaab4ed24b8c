"""The real seasons of the data folder, as the oracle sees them: schedule, rounds, picks and published fates."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from tests.oracle.league import Game, League
from tests.oracle.pool import Book, Entry, Fee, Pick, Pool
from tests.support.shared_data import shared_data

FEE_CENTS = 100_000
AFTER_ALL = datetime.max  # noqa: DTZ901  # kickoffs are wall times of one zone; only their order matters here


@dataclass
class Season:
    """`names` are the contest's own names of the entries, by our id; `refused` the picks no importer would take."""

    league: League
    pool: Pool
    names: dict[int, str]
    refused: Counter
    published: dict[str, tuple[str, int | None, str]]
    games: dict[str, Game]


def season_of(year: str, *books: Book) -> Season:
    """A season under these rules (those of the contest, when none are given), with every result in."""
    games = _games(year)
    league = League(list(games.values()))
    entries: dict[str, Entry] = {}
    refused: Counter = Counter()
    published = _published(year)
    for name in published:
        entries[name] = Entry(len(entries) + 1, fees=[Fee(FEE_CENTS)])
    playing = {(game.round, team): game for game in reversed(league.games) for team in game.teams}
    limit = (books or (Book(),))[0].reuse_limit
    for line in lines_of(f"circa/{year}/picks.csv.gz"):
        entry, number, team = entries[line["entry"]], int(line["round"]), line["team"]
        game = playing.get((number, team))
        if game is None:
            refused[f"{team} has no game in round {number}"] += 1
        elif sum(pick.team == team for pick in entry.picks) >= limit:
            refused[f"{line['entry']} has used {team}"] += 1
        else:
            entry.picks.append(Pick(number, team, game.id, source="import"))
    pool = Pool(max(game.round for game in league.games), books=list(books) or [Book()], entries=list(entries.values()))
    names = {entry.id: name for name, entry in entries.items()}
    return Season(league, pool, names, refused, published, games)


def _games(year: str) -> dict[str, Game]:
    """The season's games that a round owns, under their public names and in the order of the schedule."""
    rounds = {line["game_id"]: int(line["round"]) for line in lines_of(f"circa/{year}/rounds.csv")}
    slips = {line["game_id"]: line["gametime_corrected_et"] for line in lines_of("nfl/gametime_corrections.csv")}
    games = {}
    for line in lines_of("nfl/games.csv"):
        name = line["game_id"]
        if name not in rounds:
            continue
        time = slips.get(name, line["gametime"])
        kickoff = datetime.fromisoformat(f"{line['gameday']}T{time}")
        spread = Decimal(line["spread_line"]) if line["spread_line"] else None
        game = Game(len(games) + 1, rounds[name], line["home_team"], line["away_team"], kickoff, spread)
        games[name] = game.report("final", int(line["home_score"]), int(line["away_score"]))
    return games


def _published(year: str) -> dict[str, tuple[str, int | None, str]]:
    published = {}
    for line in lines_of(f"circa/{year}/expected_entries.csv.gz"):
        number = int(line["eliminated_round"]) if line["eliminated_round"] else None
        published[line["entry"]] = (line["status"], number, line["reason"])
    return published


def alive_after(year: str) -> dict[int, int]:
    return {int(line["round"]): int(line["alive_after"]) for line in lines_of(f"circa/{year}/alive_by_round.csv")}


def lines_of(name: str) -> Iterator[dict[str, str]]:
    path = shared_data(name)
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as file:
        yield from csv.DictReader(file)
