"""The story told again: everything is the same, to the byte, and what was reported on the way is reported again."""

from dataclasses import replace

import pytest
from django.test import override_settings

from payments.reports import REPORTS
from payments.reports.as_of import take_as_of
from tests.reports.calendar import instant
from tests.reports.golden import AGREED, FOLDER, options_of, written
from tests.reports.story import SETTINGS, tell

# The evenings on which somebody looked: after the parts of the story, but for the first, when nothing had happened.
DAYS = (
    "", "2026-01-18 23:00", "2026-01-23 23:00", "", "2026-02-09 23:00", "2026-02-13 23:00",
)  # fmt: skip
# Those that tell of now are not told again.
KINDS = [kind for kind, report in REPORTS.items() if not report.is_live]


def files(as_of) -> dict[str, bytes]:
    return {kind: written(kind, options=options_of(kind), as_of=as_of) for kind in KINDS}


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_it_comes_out_the_same_and_each_moment_of_it_for_ever():
    """Whatever happens afterwards, a report as of a moment is what it was at that moment."""
    moments, days = [], iter(DAYS)

    def look() -> None:
        day = next(days, "")
        if day:
            as_of = replace(take_as_of(), instant=instant(day))
            moments.append((as_of, files(as_of)))

    with override_settings(**SETTINGS):
        tell(look)
        for as_of, before in moments:
            after = files(as_of)
            for kind in KINDS:
                assert after[kind].split(b"\r\n") == before[kind].split(b"\r\n"), (kind, as_of.instant)
        for kind in AGREED:
            lines, agreed = written(kind, options=options_of(kind)), (FOLDER / f"{kind}.csv").read_bytes()
            assert lines.split(b"\r\n") == agreed.split(b"\r\n"), kind
