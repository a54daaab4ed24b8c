"""The outcome of a replay: a table, a plot in the terminal, a plot as PNG."""

from collections.abc import Sequence
from math import log10
from pathlib import Path

import plotext
from matplotlib.figure import Figure
from rich import box
from rich.table import Table
from rich.text import Text

from config.local.replay.play import Difference, PlayedRound
from config.local.replay.season import Fate
from config.local.replay.staff import Ruled

COLUMNS = ("round", "name", "alive before", "picks", "missed", "eliminated", "alive after", "expected", "ok")
PLOT_SIZE = (79, 20)


def round_table(title: str, rounds: Sequence[PlayedRound]) -> Table:
    """One line per round."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, show_edge=False, padding=0)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("name", "ok") else "right", no_wrap=column == "name")
    for played in rounds:
        counts = (
            played.alive_before, played.picks, played.missed, played.eliminated, played.alive_after,
            played.published_after,
        )  # fmt: skip
        verdict = Text("yes", "green") if played.is_ok else Text("NO", "bold red")
        mark = "*" if played.excused else ""
        table.add_row(str(played.number), played.name, *(f"{count:,}" for count in counts), verdict + Text(mark))
    if excused := sorted({entry for played in rounds for entry in played.excused}):
        table.caption = f"* but for entry {', '.join(excused)}, of which below"
        table.caption_justify = "left"
    return table


def difference_lines(differences: Sequence[Difference]) -> list[Text]:
    """One line per entry that ended otherwise than published."""
    lines = []
    for found in differences:
        said = f"{found.entry}: published {_told(found.published)}, here {_told(found.ours)}"
        style = "yellow" if found.is_ok else "bold red"
        lines.append(Text(f"{said}; {found.excuse or 'NOT EXCUSED'}", style))
    return lines


def ruling_lines(rulings: Sequence[Ruled]) -> list[Text]:
    """One line per ruling, with both names and what it alone changed."""
    return [
        Text(
            f"ruling {ruled.number}: {ruled.decided.game} not played in round {ruled.decided.round_number}, which puts"
            f" {ruled.eliminated} out. {ruled.decided.because} Proposed by {ruled.proposed_by}, confirmed by"
            f" {ruled.confirmed_by}.",
            "cyan",
        )
        for ruled in rulings
    ]


def _told(fate: Fate | None) -> str:
    if fate is None:
        return "nothing"
    return fate.status if fate.eliminated_round is None else f"{fate.status} in round {fate.eliminated_round}"


def terminal_plot(title: str, rounds: Sequence[PlayedRound]) -> Text:
    """Entries alive after each round, in characters."""
    numbers, alive = _alive(rounds)
    figure = plotext.figure.clear().plot_size(*PLOT_SIZE).theme("colorless")
    # A logarithmic scale by hand, where nought is drawn as one: the library's own loses the plot when given ticks.
    alive = [max(count, 1) for count in alive]
    figure.draw(figure.signal(numbers, [log10(count) for count in alive]).lines())
    figure.title(title).label("after round")
    shown = sorted({alive[0], alive[-1], *(10**power for power in range(6) if alive[-1] < 10**power < alive[0])})
    figure.ruler("y", "left").ticks([log10(count) for count in shown], [f"{count:,}" for count in shown])
    figure.ruler("x", "lower").ticks(numbers, [str(number) for number in numbers])
    return Text.from_ansi(str(figure.build()))


def save_plot(title: str, rounds: Sequence[PlayedRound], path: Path) -> None:
    """The same as PNG."""
    figure = Figure(figsize=(10, 5.5), layout="constrained")
    axes = figure.add_subplot()
    numbers, alive = _alive(rounds)
    axes.plot(numbers, alive, marker="o", color="#1f5f8b", label="here")
    axes.plot(
        numbers, [rounds[0].alive_before, *(p.published_after for p in rounds)], ".", color="#e07a1f", label="published"
    )
    for number, count in zip(numbers, alive, strict=True):
        axes.annotate(f"{count:,}", (number, count), textcoords="offset points", xytext=(0, 8), ha="center", fontsize=7)
    axes.set(title=title, xlabel="after round", ylabel="entries alive (log scale)", yscale="log")
    axes.set_xticks(numbers)
    axes.grid(visible=True, alpha=0.3)
    axes.legend()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)


def _alive(rounds: Sequence[PlayedRound]) -> tuple[list[int], list[int]]:
    """Before the first round, then after each."""
    return [0, *(p.number for p in rounds)], [rounds[0].alive_before, *(p.alive_after for p in rounds)]
