"""Pools to play, a clock to play them by, and the double that stands in for Stripe."""

import pytest

from tests.cases.nfl import ScheduleFile
from tests.cases.story import Story
from tests.payments.conftest import double, double_process, unpaid
from tests.support.clock import Clock

__all__ = ["double", "double_process", "unpaid"]


@pytest.fixture
def clock(db) -> Clock:
    return Clock()


@pytest.fixture
def tell(api, clock):
    """Begin a story: `tell(weeks=6, strikes=2)`."""
    return lambda **about: Story(api, clock, **about)


@pytest.fixture
def story(tell) -> Story:
    """Of three weeks, by the usual rules."""
    return tell()


@pytest.fixture
def schedule(db, tmp_path) -> ScheduleFile:
    """The file in which a season comes, and comes again."""
    return ScheduleFile(tmp_path)
