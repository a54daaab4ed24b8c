"""What a dry run of a correction costs: a game that every tenth entry picked turns out to have ended otherwise."""

from django.db import connection
from django.db.models import F

from config.local.benches.bigpools import Plan, competition_id
from config.local.benches.runs import Meaningless, Runs, Way, median_seconds
from config.local.benches.scale import Pair, Scale
from entries.services.settlement import settle_competition
from pools.models import Game

# The game of the settled round that a tenth of its entries picked, or nearly.
A_TENTH = """
    SELECT k.game_id FROM entries_pick k JOIN pools_round r ON r.id = k.round_id AND r.number = %(round)s
    GROUP BY k.game_id ORDER BY abs(count(*) - %(entries)s / 10), k.game_id LIMIT 1
"""
DIFFERING = """
    SELECT count(*) FROM entries_pick k JOIN entries_entry e ON e.id = k.entry_id JOIN pools_game g ON g.id = k.game_id
    WHERE k.game_id = (SELECT game_id FROM pools_gamechange ORDER BY id DESC LIMIT 1)
      AND (e.status = 'active') <> (k.team_id = CASE WHEN g.home_score > g.away_score THEN g.home_id ELSE g.away_id END)
"""


def correct(plan: Plan) -> None:
    """The other side won."""
    with connection.cursor() as cursor:
        cursor.execute(A_TENTH, {"round": plan.round_number, "entries": plan.entries})
        game_id = cursor.fetchone()[0]
    Game.objects.filter(pk=game_id).update(home_score=F("away_score"), away_score=F("home_score"))


def _differing() -> int:
    """Entries whose fate is not what their pick in the corrected game says."""
    with connection.cursor() as cursor:
        cursor.execute(DIFFERING)
        return int(cursor.fetchone()[0])


def _expect_untouched(plan: Plan) -> None:
    if _differing() < plan.entries // 20:
        raise Meaningless("the dry run changed something, or there was nothing to change")


def _expect_corrected(plan: Plan) -> None:
    if _differing():
        raise Meaningless("the correction was not settled")


def _settle(*, dry_run: bool) -> None:
    settle_competition(competition_id=competition_id(), dry_run=dry_run)


DRY = Way("dry run", lambda _: _settle(dry_run=True), prepare=correct, check=_expect_untouched)
REAL = Way("correction", lambda _: _settle(dry_run=False), prepare=correct, check=_expect_corrected)


def dry_run(runs: Runs, scale: Scale) -> Pair:
    """Seconds for saying what a correction of a hundred thousand entries would change, and for changing it."""
    dry, real = runs.of(Plan("million", entries=scale.entries(1_000_000), settled=True), DRY, REAL)
    return Pair(median_seconds(dry), median_seconds(real))
