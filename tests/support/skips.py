"""A race that was not run is not a race that was won: who skips a test of concurrency fails it.

That is every test with a database of its own to commit to (`transaction=True`), and all of `tests/races`. Real seasons
alone may be missing, which is said by name, and fails in CI.
"""

import pytest

from tests.support.shared_data import MISSING

RACES = "tests/races/"
SAID = "A test of concurrency must run: it was left out because of"


def is_race(item: pytest.Item) -> bool:
    """Whether threads meet in it, as far as its marks and its place tell."""
    mark = item.get_closest_marker("django_db")
    return item.nodeid.startswith(RACES) or bool(mark and mark.kwargs.get("transaction"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Skipped, or expected to fail: both are failures here."""
    report = yield
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    if report.skipped and is_race(item) and MISSING not in reason:
        report.outcome, report.longrepr = "failed", f"{SAID} {reason}"
        # An expected failure would be told as such.
        report.__dict__.pop("wasxfail", None)
    return report
