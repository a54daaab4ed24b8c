"""One fixed story of money, from the first fee to the last prize: what every report of finance is tried against.

A league of two rounds, three pools that play it, in dollars, euros and yen, and one that is called off. Everybody does
what is theirs to do, through the services; the provider's part is given as facts (`till`). Ids, names and instants are
the same in every run, so that files can be compared byte by byte. `tell()` wants an empty database, and settings of
`SETTINGS`; afterwards it is the real now again.

    5 January     the pools are made         25 January   the first round locks
    10–18 Jan     places are bought          1 February   the first round is played
    19–24 Jan     money goes back            8 February   the second; the pots are shared out
    20 Jan–20 Feb disputes                   10–24 Feb    prizes are paid, the provider pays out
"""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from tests.reports.calendar import Calendar
from tests.reports.cast import Story
from tests.reports.story_begins import places_are_bought, pools_are_made
from tests.reports.story_ends import bank_and_provider, disputes_end, money_goes_back, prizes, rounds_are_played

NEW_YORK = ZoneInfo("America/New_York")
SETTINGS = {"FINANCE_TIME_ZONE": NEW_YORK, "AUTO_RETURN": True}
PARTS = (
    pools_are_made, places_are_bought, money_goes_back, rounds_are_played, disputes_end, prizes, bank_and_provider
)  # fmt: skip

__all__ = ["SETTINGS", "Story", "tell"]


def tell(watch: Callable[[], None] = lambda: None) -> Story:
    """All of it, in its order. After each part `watch` may look around."""
    story = Story(Calendar())
    for part in PARTS:
        part(story)
        watch()
    story.calendar.end()
    return story
