"""`manage.py import_schedule FILE|URL --competition nfl-2024`: teams, rounds, games and results of a season."""

import re
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from config.clock import database_now
from config.errors import DomainError
from pools.services.schedule import DrawnRounds, Report, apply_schedule, open_rows, read_rounds, read_schedule
from pools.services.schedule.nflverse import REGULAR_SEASON
from pools.services.schedule.source import name_of


class Command(BaseCommand):
    """Reads nflverse's games.csv or Premier League fixtures, plain or gzipped. Running it again changes nothing.

    Games with picks that the file would move or drop are raised for a ruling and left alone.
    """

    help = __doc__

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", metavar="FILE|URL")
        parser.add_argument("--competition", required=True, metavar="CODE", help="such as nfl-2024 or epl-2023")
        parser.add_argument("--season", help="such as 2024 or 2023-24; the year in the code by default")
        parser.add_argument("--rounds", metavar="FILE", help="round,name,game_id: draws the rounds anew")
        wanted = parser.add_mutually_exclusive_group()
        wanted.add_argument("--no-results", action="store_true", help="take no scores; recorded ones stay")
        wanted.add_argument("--results-through", type=int, metavar="N", help="take scores of rounds up to N")
        parser.add_argument(
            "--game-types", default=",".join(REGULAR_SEASON), help="of nflverse, such as REG,WC,DIV,CON,SB"
        )
        parser.add_argument(
            "--kickoff",
            action="append",
            default=[],
            metavar="GAME=TIME",
            help="a kickoff in US Eastern time, such as 2000_01_DEN_STL=2000-09-04T21:00",
        )
        parser.add_argument(
            "--new-teams", action="store_true", help="teams that the competition lacks are new, not typos"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            report = self._import(options)
        except DomainError as error:
            raise CommandError(error.message) from error
        for warning in report.warnings:
            self.stderr.write(self.style.WARNING(warning))
        self.stdout.write(
            f"{report.competition.code}: {report.teams} teams, {report.rounds} rounds, {report.games} games; "
            f"{report.created} games new, {report.updated} changed, {report.results} results taken, "
            f"{len(report.warnings)} warnings"
        )

    def _import(self, options: dict[str, Any]) -> Report:
        through = 0 if options["no_results"] else options["results_through"]
        if through is not None and through < 0:
            raise CommandError("--results-through takes a round number.")
        drawn = _drawn(options["rounds"]) if options["rounds"] else None
        with _progress_bar() as bar:
            task = bar.add_task(name_of(options["source"]), total=None)
            schedule = read_schedule(
                options["source"],
                season=options["season"] or _season_of(options["competition"]),
                game_types=options["game_types"].split(","),
                kickoffs=dict(_kickoff(text) for text in options["kickoff"]),
                progress=lambda done, size: bar.update(task, completed=done, total=size),
            )
        return apply_schedule(
            code=options["competition"],
            schedule=schedule,
            now=database_now(),
            drawn=drawn,
            results_through=through,
            allow_new_teams=options["new_teams"],
            source=name_of(options["source"]),
        )


def _drawn(location: str) -> DrawnRounds:
    with open_rows(location) as rows:
        return read_rounds(rows)


def _season_of(code: str) -> str:
    """The year in a competition's code."""
    found = re.search(r"(?:19|20)[0-9]{2}", code)
    if found is None:
        raise CommandError(f"No year in {code}: give --season.")
    return found[0]


def _kickoff(text: str) -> tuple[str, datetime]:
    game, _, time = text.partition("=")
    try:
        return game.strip(), datetime.fromisoformat(time.strip())
    except ValueError:
        raise CommandError(f"--kickoff {text}: must be GAME=2024-09-05T20:20.") from None


def _progress_bar() -> Progress:
    """On a terminal alone, and beside the output, not in it."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
