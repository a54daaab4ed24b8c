"""The story told again: everything is the same, to the byte."""

import pytest

from payments.reports import REPORTS
from tests.reports.golden import FOLDER, OPTIONS, written


@pytest.mark.slow
def test_told_again_it_is_the_same_to_the_byte(committed_story):
    for kind in REPORTS:
        options = OPTIONS[kind](committed_story) if kind in OPTIONS else {}
        lines, agreed = written(kind, options=options), (FOLDER / f"{kind}.csv").read_bytes()
        assert lines.split(b"\r\n") == agreed.split(b"\r\n"), kind
