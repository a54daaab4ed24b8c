"""The picture of a stampede: how many are served of how many come, and how long that takes."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot  # only after the choice of what draws, or it looks for a screen

OURS, GREY = "#1b6ca8", "#8a8f98"


def draw(levels: Sequence[tuple[float, float, float]], *, knee: float, file: Path) -> None:
    """Write it: of each level how many came and were served a second, and the milliseconds of 95 in 100."""
    came, served, taken = ([level[column] for level in levels] for column in range(3))
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(8, 6), sharex=True, constrained_layout=True)
    above.plot(came, came, color=GREY, linestyle=":", label="all who come")
    above.plot(came, served, color=OURS, marker="o", label="served")
    above.set_ylabel("a second")
    below.plot(came, taken, color=OURS, marker="o", label="95 of 100 served within")
    below.axhline(250, color=GREY, linestyle=":", label="250 ms")
    below.set_ylabel("ms")
    below.set_xlabel("who come, a second")
    for part in (above, below):
        part.axvline(knee, color=GREY, linestyle="--", label=f"the knee: {knee:.0f}")
        part.set_ylim(bottom=0)
        part.legend(frameon=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=110, metadata={"Software": None})
    pyplot.close(figure)
