"""Rows 1 and 19 in the back office: every page × look and empty form × who asks.

`OUTLAST_WRITE_MATRIX=1` writes `pages.txt` as things are now, in a run with `-m ""`; whoever does so reads each cell
that changed.
"""

import os

import pytest

from tests.security.matrix.pages import CELLS, VISITORS, routes, table, visited

pytestmark = pytest.mark.django_db
IS_WRITTEN = bool(os.environ.get("OUTLAST_WRITE_MATRIX"))
VERBS = ("GET", "POST")
# Every day those of the staff look who may do least; the others, and empty forms, where there is time.
AS_MARKED = [
    pytest.param(kind, verb, marks=[pytest.mark.slow] * ((kind, verb) != ("moderator", "GET")))
    for kind in VISITORS
    for verb in VERBS
]


def test_row_19_every_page_has_a_row_and_no_row_is_of_none(world):
    if IS_WRITTEN:
        found = {kind: visited(world, kind, "GET") | visited(world, kind, "POST") for kind in VISITORS}
        rows = ((name, " ".join(str(found[kind][name]) for kind in VISITORS)) for name in found["admin"])
        lines = "".join(f"{statuses}  {name}\n" for name, statuses in rows)
        CELLS.write_text(f"# Who asks: {' '.join(VISITORS)}\n{lines}")
    assert {f"{verb} {route.template}" for route in routes() for verb in VERBS} == set(table())


@pytest.mark.parametrize(("kind", "verb"), AS_MARKED)
def test_rows_01_and_19_every_page_is_as_written(world, kind, verb):
    assert visited(world, kind, verb) == {
        name: cells[kind] for name, cells in table().items() if name.startswith(f"{verb} ")
    }


def test_row_19_no_page_is_for_nobody_or_for_players():
    """Whatever is asked for, they come to the door, or where nothing is."""
    shut = {302, 403, 404, 405}
    assert [name for name, cells in table().items() if not {cells["anonymous"], cells["owner"]} <= shut] == []


def test_row_48_no_page_breaks():
    assert [name for name, cells in table().items() if max(cells.values()) >= 500] == []
