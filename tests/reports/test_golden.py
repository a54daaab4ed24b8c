"""Every report of the one fixed story, byte by byte."""

import pytest

from payments.reports import REPORTS
from payments.services.books import broken
from tests.reports.golden import FOLDER, OPTIONS, agrees, written


def test_the_story_s_books_hold(story):
    assert broken() == {}


@pytest.mark.parametrize("kind", REPORTS)
def test_the_file_is_as_it_was_agreed(kind, story):
    options = OPTIONS[kind](story) if kind in OPTIONS else {}

    raw = written(kind, options=options)

    assert raw.count(b"\r\n") > 1, "the story has nothing to show in it"
    assert agrees(f"{kind}.csv", raw)


def test_each_file_is_of_a_report():
    assert {path.stem for path in FOLDER.iterdir()} == set(REPORTS)
