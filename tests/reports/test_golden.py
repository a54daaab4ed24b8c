"""Every report of the one fixed story, byte by byte."""

import pytest

from payments.reports import REPORTS
from tests.reports.golden import OPTIONS, agrees, written


@pytest.mark.parametrize("kind", REPORTS)
def test_the_file_is_as_it_was_agreed(kind, story):
    options = OPTIONS[kind](story) if kind in OPTIONS else {}

    raw = written(kind, options=options)

    assert raw.count(b"\r\n") > 1, "the story has nothing to show in it"
    assert agrees(f"{kind}.csv", raw)
