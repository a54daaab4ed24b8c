"""One rehearsal from its row to its result, in tables of its own that are gone afterwards."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from django.db.backends.utils import CursorWrapper

from entries.models import Rehearsal
from entries.services.rehearsals import outcome
from entries.services.rehearsals.casting import cast
from entries.services.rehearsals.pickers import Calendar, Fixture
from entries.services.rehearsals.picking import MadeUp
from entries.services.rehearsals.stage import leave_reality, staged
from entries.services.settlement import facts
from entries.services.settlement.run import derive
from pools.models import Game, GameStatus, Round, Rules, Team

POOL = """
    INSERT INTO pools_pool (id, competition_id, name, status, first_round_number, last_round_number)
    VALUES (%(place)s, %(competition)s, '', 'running', %(first)s, %(last)s)
"""


class Played(NamedTuple):
    """The tables after the last round, still there; how many picks players made up, and how many were refused."""

    cursor: CursorWrapper
    made_up: int
    refused: int


def play(rehearsal: Rehearsal, *, on_round: Callable[[int], None] = lambda done: None) -> dict[str, Any]:
    """What comes of it, the same each time. Writes nothing; `on_round` is told how many rounds are done.

    Raises Unavailable where it takes too long.
    """
    teams = dict(Team.objects.filter(competition=rehearsal.competition_id).values_list("pk", "name"))
    with played(rehearsal, on_round=on_round) as (cursor, made_up, refused):
        sets = outcome.outcome(cursor, last_round=rehearsal.last_round_number, teams=teams)
        told: dict[str, Any] = {"sets": sets, "made_up": made_up, "refused": refused}
        if len(sets) > 1:
            told["alike"] = outcome.alike(cursor)
        return told


@contextmanager
def played(rehearsal: Rehearsal, *, on_round: Callable[[int], None] = lambda done: None) -> Iterator[Played]:
    """The temporary tables of settlement and of the pool, for as long as the block lasts."""
    calendar = calendar_of(rehearsal.competition_id)
    span = (rehearsal.first_round_number, rehearsal.last_round_number)
    with staged(competition_id=rehearsal.competition_id, first=span[0], last=span[1]) as (cursor, schema):
        _set_up(cursor, rehearsal)
        refused = cast(cursor, schema, rehearsal, calendar)
        leave_reality(cursor)
        made_up = MadeUp(
            cursor, calendar, seed=rehearsal.seed, mix=rehearsal.mix, players=rehearsal.entries, on_round=on_round
        )
        facts.gather_facts(cursor, competition_id=rehearsal.competition_id, through=None, afresh=True)
        derive(cursor, before_round=made_up)
        yield Played(cursor, made_up.picks, refused)


def calendar_of(competition_id: int) -> Calendar:
    """The games of a competition, as made-up players see them."""
    games = Game.objects.filter(competition_id=competition_id).select_related("home", "away", "round")
    locks = Round.objects.filter(competition_id=competition_id, locks_at__isnull=False)
    return Calendar(
        [
            Fixture(
                game.pk, game.round.number, (game.home_id, game.home.code), (game.away_id, game.away.code),
                game.kickoff_at, _margin(game),
                None if game.home_spread is None else float(game.home_spread),
            )
            for game in games
        ],
        dict(locks.values_list("number", "locks_at")),
    )  # fmt: skip


def _margin(game: Game) -> int | None:
    if game.status != GameStatus.FINAL or game.home_score is None or game.away_score is None:
        return None
    return game.home_score - game.away_score


def _set_up(cursor: CursorWrapper, rehearsal: Rehearsal) -> None:
    """A pool for each rule set, numbered from 1, with its one version of the rules."""
    columns = ", ".join(Rules.KEYS)
    values = ", ".join(["%s"] * len(Rules.KEYS))
    for place, rules in enumerate(rehearsal.rule_sets, start=1):
        first = rehearsal.first_round_number
        ask = {"place": place, "competition": rehearsal.competition_id, "first": first}
        cursor.execute(POOL, {**ask, "last": rehearsal.last_round_number})
        cursor.execute(
            f"INSERT INTO pools_rules (id, pool_id, version, effective_round_number, {columns})"
            f" VALUES (%s, %s, 1, %s, {values})",
            [place, place, first, *(rules["switches"][key] for key in Rules.KEYS)],
        )
