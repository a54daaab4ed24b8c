"""What is written about every door: `cells.txt`, a line each."""

from pathlib import Path

from tests.security.matrix.people import KINDS

CELLS, KEYS = (Path(__file__).with_name(name) for name in ("cells.txt", "keys.txt"))


def table() -> dict[str, dict[str, int]]:
    """By operation and who asks: the status."""
    rows = {}
    for line in CELLS.read_text().splitlines()[1:]:
        *statuses, verb, template = line.split()
        rows[f"{verb} {template}"] = dict(zip(KINDS, map(int, statuses), strict=True))
    return rows
