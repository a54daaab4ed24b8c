"""The entries of a round of a pool, page by page, by what somebody looks for.

Each page looks at a bounded stretch of the entries, by the index on where they stand: where few of many match, a page
may hold few, and the next one goes on from where it stopped.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection
from django.db.models import QuerySet, TextChoices
from django.utils.translation import gettext_lazy as _

from config.row_order import RowComparison
from entries.models import Entry
from entries.models.entry import STANDING
from entries.queries.grades import ASKED_SQL, IN_PLAY_SQL, RESULT_SQL, RULES_SQL, SAT_OUT_SQL, VISIBLE_SQL
from entries.queries.rooms.standing import Phase, Room

PAGE, STRETCH = 50, 2_000
STILL_IN = 1
LARGEST_ID = 2**63 - 1

# How many picks each has made, and nothing about them.
MADE = f"""
    SELECT e.id, (SELECT count(*) FROM entries_pick k
                  WHERE k.entry_id = e.id AND k.round_id = r.id AND k.slot <= {ASKED_SQL})
    FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id JOIN pools_round r ON r.id = %(round)s
    {RULES_SQL}
    WHERE e.id = ANY(%(entries)s) AND {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL}
"""

# What may be shown of their picks, and whether any of those waits for its game.
SHOWN = f"""
    SELECT e.id, count(k.id), coalesce(string_agg(t.code, ' + ' ORDER BY k.slot), ''),
           coalesce(bool_or({RESULT_SQL} = 'pending') FILTER (WHERE k.id IS NOT NULL), false)
    FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id JOIN pools_round r ON r.id = %(round)s
    {RULES_SQL}
    LEFT JOIN (entries_pick k JOIN pools_game g ON g.id = k.game_id JOIN pools_team t ON t.id = k.team_id)
        ON k.entry_id = e.id AND k.round_id = r.id AND {VISIBLE_SQL}
    WHERE e.id = ANY(%(entries)s) AND {IN_PLAY_SQL} AND NOT {SAT_OUT_SQL}
    GROUP BY e.id
"""


class Lane(TextChoices):
    """What somebody looks for: who has picked and who has not, and later what became of them."""

    MISSING = "missing", _("No pick yet")
    PICKED = "picked", _("Picked")
    WAITING = "waiting", _("Waits for a game")
    ALIVE = "alive", _("Still in")
    OUT = "out", _("Out in this round")


LANES = {
    Phase.OPEN: (Lane.MISSING, Lane.PICKED),
    Phase.PARTLY: (Lane.MISSING, Lane.PICKED, Lane.OUT),
    Phase.LOCKED: (Lane.WAITING, Lane.ALIVE, Lane.OUT),
    Phase.DECIDED: (Lane.ALIVE, Lane.OUT),
}


class After(NamedTuple):
    """Where a page goes on: the place of the last entry that was looked at."""

    standing: int = -1
    entry: int = 0


class RoomEntry(NamedTuple):
    """One entry. `team` is empty as long as it is secret."""

    entry: Entry
    made: int
    team: str
    is_waiting: bool


@dataclass(frozen=True, slots=True)
class Page:
    """`onward` is where the next page begins; None after the last."""

    rows: list[RoomEntry]
    onward: After | None


def page_of(room: Room, lane: Lane, after: After) -> Page:
    """At most `PAGE` entries of the lane; three queries."""
    candidates = list(_candidates(room, lane, after)[: STRETCH + 1])
    stretch = candidates[:STRETCH]
    facts = _facts(room, lane, [pk for pk, _standing in stretch])
    matching = [(pk, standing) for pk, standing in stretch if pk in facts and _matches(room, lane, facts[pk])]
    shown = matching[:PAGE]
    people = Entry.objects.select_related("user").in_bulk([pk for pk, _standing in shown])
    rows = [RoomEntry(people[pk], *facts[pk]) for pk, _standing in shown]
    if len(matching) > PAGE:
        pk, standing = shown[-1]
        return Page(rows, After(standing, pk))
    if len(candidates) > STRETCH:
        pk, standing = stretch[-1]
        return Page(rows, After(standing, pk))
    return Page(rows, None)


def _candidates(room: Room, lane: Lane, after: After) -> QuerySet[Entry, tuple[int, int]]:
    fell_here = 100_000 - room.round.number
    best, worst = {
        Lane.MISSING: (STILL_IN, STILL_IN),
        Lane.PICKED: (STILL_IN, STILL_IN),
        Lane.OUT: (fell_here, fell_here),
    }.get(lane, (0, fell_here - 1))
    found = Entry.objects.counted().filter(pool=room.pool).annotate(standing=STANDING)
    # Not BETWEEN, as in the standings: the planner would sort all of them.
    until = RowComparison(("standing", "id"), "<=", (worst, LARGEST_ID))
    begin = RowComparison(("standing", "id"), ">", max(after, After(best, 0)))
    return found.filter(until, begin).order_by("standing", "id").values_list("pk", "standing")


def _facts(room: Room, lane: Lane, entries: list[int]) -> dict[int, tuple[int, str, bool]]:
    """Of those that play the round: how many picks were made, which may be shown, whether one of them waits."""
    ask: dict[str, Any] = {"round": room.round.pk, "entries": entries}
    with connection.cursor() as cursor:
        if room.is_secret or lane in (Lane.MISSING, Lane.PICKED):
            cursor.execute(MADE, ask)
            return {pk: (made, "", False) for pk, made in cursor.fetchall()}
        cursor.execute(SHOWN, ask)
        return {pk: (made, team, is_waiting) for pk, made, team, is_waiting in cursor.fetchall()}


def _matches(room: Room, lane: Lane, facts: tuple[int, str, bool]) -> bool:
    made, _team, is_waiting = facts
    match lane:
        case Lane.MISSING:
            return made < room.asked
        case Lane.PICKED:
            return made >= room.asked
        case Lane.WAITING:
            return is_waiting
        case _:
            return True
