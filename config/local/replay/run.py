"""The command: plays the season in a scratch database, showing what it does, and says whether all is as published."""

import logging
from time import monotonic

from django.conf import settings
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from config.local.replay.play import Difference, PlayedRound, Replay
from config.local.replay.scratch import NoScratchDatabase, scratch_database
from config.local.replay.season import DataMissing, Season
from config.local.replay.show import difference_lines, round_table, ruling_lines, save_plot, terminal_plot
from config.local.replay.staff import Ruled


class Outcome:
    """What a replay has shown."""

    def __init__(self) -> None:
        self.rounds: list[PlayedRound] = []
        self.rulings: list[Ruled] = []
        self.differences: list[Difference] = []
        self.entries = 0
        self.seconds = 0.0

    @property
    def is_ok(self) -> bool:
        return all(played.is_ok for played in self.rounds) and all(found.is_ok for found in self.differences)


def replay_season(year: str) -> int:
    """Play, show, and return the exit code: 0 when all is as published, 1 when not, 2 when it could not be played."""
    console = Console()
    logging.disable(logging.INFO)
    try:
        season = Season(year)
        with _Steps(console) as steps:
            steps.begin("scratch database")
            with scratch_database("replay"):
                outcome = play(Replay(season), steps)
    except (DataMissing, NoScratchDatabase) as problem:
        Console(stderr=True).print(str(problem), style="bold red", highlight=False, soft_wrap=True)
        return 2
    finally:
        logging.disable(logging.NOTSET)
    show(console, year, outcome)
    return 0 if outcome.is_ok else 1


def play(replay: Replay, steps: "_Steps") -> Outcome:
    """Play the whole season."""
    outcome, began = Outcome(), monotonic()
    steps.begin("schedule, without results")
    replay.open_pool(steps.advance)
    steps.begin("entries and picks")
    imported = replay.import_picks(steps.advance)
    steps.note(f"{imported.entries:,} entries, {imported.picks:,} picks, {len(imported.refused)} lines refused")
    rounds = len(replay.drawn.names)
    for played in replay.rounds():
        steps.begin(f"round {played.number} {played.name}: {played.alive_after:,} left", played.number, rounds)
        outcome.rounds.append(played)
    steps.begin("comparing every entry")
    outcome.differences = replay.differences()
    outcome.rulings = replay.rulings
    outcome.entries = imported.entries
    outcome.seconds = monotonic() - began
    return outcome


def show(console: Console, year: str, outcome: Outcome) -> None:
    """The table, the plots, the verdict."""
    title = f"Circa Survivor {year}: entries alive after each round"
    picture = settings.OUTLAST_HOME / "reports" / f"replay-{year}.png"
    save_plot(title, outcome.rounds, picture)
    console.print(round_table(title, outcome.rounds))
    console.print(terminal_plot(title, outcome.rounds))
    for line in [*ruling_lines(outcome.rulings), *difference_lines(outcome.differences)]:
        console.print(line)
    alike = outcome.entries - len(outcome.differences)
    console.print(
        f"{alike:,} of {outcome.entries:,} entries and {sum(r.is_ok for r in outcome.rounds)} of"
        f" {len(outcome.rounds)} rounds as published, in {outcome.seconds:.1f} s. Plot: {picture}",
        style="green" if outcome.is_ok else "bold red",
        highlight=False,
        soft_wrap=True,
    )


class _Steps:
    """What is being done: one moving line on a terminal, elsewhere a line per step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        self._bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=None)

    def __enter__(self) -> "_Steps":
        self._bar.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._bar.stop()

    def begin(self, title: str, done: int = 0, total: int | None = None) -> None:
        self._bar.update(self._task, description=title, completed=done, total=total)
        if self._bar.disable:
            self._console.print(title, highlight=False)

    def advance(self, done: int, total: int | None) -> None:
        self._bar.update(self._task, completed=done, total=total)

    def note(self, text: str) -> None:
        self._console.print(f"  {text}", highlight=False)
