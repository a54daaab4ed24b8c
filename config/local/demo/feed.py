"""The demo's score feed: plays each game in the minutes after its kickoff, then has the competition settled.

It knows only the season's draw and the clock, so it may be stopped and started at will: whatever should have been
played by then is caught up with.
"""

import logging
import time
from datetime import datetime, timedelta

from django.db import OperationalError, connection

from config.clock import database_now
from config.local.demo.season import Fixture, draw
from config.local.demo.story import CODE
from entries.services.settlement import settle_competition
from pools.models import Game, GameStatus
from pools.services.results import record_result

logger = logging.getLogger(__name__)

TICK_SECONDS = 3.0


def play_due_games(now: datetime) -> int:
    """Start and finish what is due; returns how many games moved. Settles at once when one ended."""
    endings = {fixture.name: fixture for fixture in draw(now)}
    due = Game.objects.filter(
        competition__code=CODE, kickoff_at__lte=now, status__in=(GameStatus.SCHEDULED, GameStatus.IN_PROGRESS)
    ).order_by("kickoff_at", "id")
    moved, ended = 0, set()
    for game in due:
        is_over = game.kickoff_at + timedelta(minutes=endings[game.external_id].minutes) <= now
        if is_over:
            _finish(game, endings[game.external_id])
            ended.add(game.competition_id)
        elif game.status == GameStatus.SCHEDULED:
            record_result(
                game_id=game.pk,
                status=GameStatus.IN_PROGRESS,
                home_score=None,
                away_score=None,
                by=None,
                reason="demo feed",
            )
        else:
            continue
        moved += 1
    for competition_id in ended:
        settle_competition(competition_id=competition_id)
    return moved


def _finish(game: Game, ending: Fixture) -> None:
    record_result(
        game_id=game.pk,
        status=GameStatus.FINAL,
        home_score=ending.home_score,
        away_score=ending.away_score,
        by=None,
        reason="demo feed",
    )
    logger.info("%s ended %s:%s", game.external_id, ending.home_score, ending.away_score)


def run() -> None:
    """Play until the process is stopped."""
    while True:
        try:
            play_due_games(database_now())
        except OperationalError:
            # The database restarts: what is due is caught up with once it is back.
            logger.warning("the database is away; trying again")
            connection.close()
        time.sleep(TICK_SECONDS)
