"""The story told again: everything is the same, to the byte."""

import pytest

from payments.reports import REPORTS
from tests.reports.golden import FOLDER, options_of, written


@pytest.mark.slow
def test_told_again_it_is_the_same_to_the_byte(committed_story):
    for kind in REPORTS:
        lines, agreed = written(kind, options=options_of(kind)), (FOLDER / f"{kind}.csv").read_bytes()
        assert lines.split(b"\r\n") == agreed.split(b"\r\n"), kind
