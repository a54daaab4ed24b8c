"""What the tests that make things up draw from: told at the end of every run, with how many calls were made up."""

import os
import random

import pytest

# One for all workers, which inherit it.
os.environ.setdefault("OUTLAST_PROPERTY_SEED", str(random.SystemRandom().randrange(10**9)))
# Of a test, how many calls it made up: known when its fixtures end.
MADE_UP = "made_up_calls"


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The seed is said always, because a failure is found again only by it."""
    properties = [pair for report in terminalreporter.getreports("") for pair in report.user_properties]
    calls = [count for name, count in properties if name == MADE_UP]
    if calls:
        terminalreporter.write_line(f"{sum(calls)} calls were made up, by {len(calls)} tests")
    terminalreporter.write_line(f"OUTLAST_PROPERTY_SEED={os.environ['OUTLAST_PROPERTY_SEED']}")
