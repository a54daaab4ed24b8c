"""How the picks of a round were spread, as bars beside their numbers: a picture for eyes, and a table for everybody."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from entries.queries.grades import PickResult
from entries.queries.rounds import Spread

RESULTS: Mapping[str, str | Promise] = {
    PickResult.PENDING: _("Not decided"),
    PickResult.WON: _("Won"),
    PickResult.LOST: _("Lost"),
    PickResult.TIED: _("Tied"),
    PickResult.VOID: _("Void"),
    PickResult.MISSED: _("Missed"),
}


class Bar(NamedTuple):
    """One team's part. `width` is of the longest bar, in percent, as SVG has it in every language."""

    team: str
    name: str
    picks: int
    percent: str
    width: str
    result: str
    verdict: str | Promise


def bars_of(spread: Sequence[Spread], names: Mapping[str, str]) -> list[Bar]:
    """The most picked team first."""
    longest = max((one.picks for one in spread), default=0) or 1
    return [
        Bar(
            team=one.team,
            name=names.get(one.team, ""),
            picks=one.picks,
            percent=f"{100 * one.share:.1f} %",
            width=f"{100 * one.picks / longest:.2f}",
            result=one.result,
            verdict=RESULTS[one.result],
        )
        for one in spread
    ]
