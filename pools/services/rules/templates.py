"""Rule sets that pools begin with: a name, what it is for in a sentence, and what it asks of the competition.

A template is where a new pool begins, nothing more: the pool keeps switches of its own, and does not know which
template they came from. What a template gives goes through `check_rules` like everything that somebody fills in.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pools.models import Competition

Switches = dict[str, Any]


@dataclass(frozen=True)
class Template:
    """`switches` that differ from the default, as they fit a competition; `fields` of the pool that go with them.

    `cautions` says what the competition lacks for it; it is never refused for that.
    """

    name: str | Promise
    says: str | Promise
    switches: Callable[[Competition], Switches] = lambda competition: {}
    fields: Mapping[str, Any] = field(default_factory=dict)
    cautions: Callable[[Competition], list[str | Promise]] = lambda competition: []


def _two_lives(competition: Competition) -> Switches:
    return {"strikes": 1, "missed_pick": "strike"}


def _last_man_standing(competition: Competition) -> Switches:
    """Every club once; where there are more rounds than clubs, once in each half of the season."""
    switches: Switches = {"missed_pick": "fallback", "cancelled_game": "void", "all_out": "revive"}
    numbers = list(competition.rounds.order_by("number").values_list("number", flat=True))
    if len(numbers) > competition.teams.count() > 0:
        switches["reuse_reset_round"] = numbers[len(numbers) // 2]
    return switches


def _without_holidays(competition: Competition) -> list[str | Promise]:
    if competition.rounds_are_drawn:
        return []
    return [
        _(
            "The rounds of this competition are the weeks of its league. Import its schedule with a rounds file, so"
            " that Thanksgiving and Christmas are rounds of their own."
        )
    ]


TEMPLATES: dict[str, Template] = {
    "classic": Template(
        _("Classic"),
        _("One team each round, never the same one twice; the first loss or missed pick is the end."),
    ),
    "two-lives": Template(
        _("Two lives"),
        _("As classic, but an entry survives its first loss, and a missed pick is a loss like any other."),
        switches=_two_lives,
    ),
    "holidays": Template(
        _("Circa-style with holiday rounds"),
        _(
            "One life over a whole NFL season, where Thanksgiving and Christmas are rounds of their own and cost a team"
            " each. Up to ten entries for each player, and the house keeps nothing."
        ),
        fields={"max_entries_per_user": 10, "minimum_age": 21},
        cautions=_without_holidays,
    ),
    "last-man-standing": Template(
        _("Premier League last man standing"),
        _(
            "A club has to win: a draw is the end. Who forgets gets the first team of their own list, postponed matches"
            " cost nothing, and a round that everybody loses is played as if it had not been."
        ),
        switches=_last_man_standing,
        fields={"currency": "gbp", "max_entries_per_user": 1},
    ),
}
