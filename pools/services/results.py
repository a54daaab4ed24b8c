"""How a game ended, as staff or a feed say it. What follows for entries, settlement works out.

One person may enter a first result, and news of the schedule before the lock. What changes an outcome that pools were
settled on, or decides about a game that players have picked, is a ruling, which takes two.
"""

from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, NotFound, invalid
from config.phrases import Name, phrase
from config.versions import Seen, refuse_stale
from pools.models import Game, GameStatus, Pool, PoolStatus
from pools.services.arrivals import tell_results_arrived
from pools.services.schedule import guards
from pools.services.schedule.reviews import remember_decision

HIGHEST_SCORE = 999
# Why one name is not enough.
RULED = gettext_noop("Game {game} is as a ruling decided: propose a ruling, which somebody else confirms.")
IS_FINAL = gettext_noop("Game {game} is final already: propose a ruling, which somebody else confirms.")
SETTLED = gettext_noop(
    "Game {game} is {status} already, and pools are settled on it: propose a ruling, which somebody else confirms."
)
PICKED = gettext_noop("Game {game} has picks that are locked: propose a ruling, which somebody else confirms.")
# Before the lock a player could still pick the winner of a game whose result is known.
AFTER_THE_LOCK = (GameStatus.FINAL, GameStatus.IN_PROGRESS)
WITH_SCORES = (GameStatus.FINAL, GameStatus.IN_PROGRESS)
NOT_PLAYED = (GameStatus.POSTPONED, GameStatus.CANCELLED)
# What settlement grades picks by.
OUTCOMES = (GameStatus.FINAL, *NOT_PLAYED)


class RoundStillOpen(Conflict):
    """A score while picks for the round can still change."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase(
                "Round {round} has not locked: a result now would be known to those who still pick.",
                round=game.round.number,
            ),
            {"round": game.round.number, "locks_at": game.round.locks_at},
        )


class WaitsForRuling(Conflict):
    """Only a person may decide about a game that was raised for a ruling."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("Game {game} waits for a ruling: {review}", game=game.external_id, review=game.review),
            {"game": game.pk},
        )


class CorrectionNeedsRuling(Conflict):
    """One name is not enough for what changes fates that stand."""

    def __init__(self, game: Game, sentence: str) -> None:
        super().__init__(
            Code.CORRECTION_NEEDS_RULING,
            phrase(sentence, game=game.external_id, status=Name(game.status)),
            {"game": game.pk, "status": game.status},
        )


class Said(NamedTuple):
    """What somebody says of a game."""

    status: str
    home_score: int | None
    away_score: int | None


@transaction.atomic
def record_result(
    *,
    game_id: int,
    status: str,
    home_score: int | None = None,
    away_score: int | None = None,
    by: User | None,
    reason: str = "",
    seen: Seen = None,
) -> bool:
    """Set a game's status and score; whether that changed anything.

    Final needs both scores, 0-0 like any other; in progress may have both; everything else has none. Refuses a result
    while the round's picks can still change, and whatever a feed (`by` is None) says about a game that waits for a
    ruling; before the lock, a person's word closes that. Refuses with CORRECTION_NEEDS_RULING what takes two names:
    another outcome where pools were settled on the one that stands, calling off a game that was picked once its round
    has locked, anything but the first result of a game that a ruling decided about; with VERSION_CONFLICT a game that
    is not as it was `seen`.
    """
    check_result(status, home_score, away_score)
    said = Said(status, home_score, away_score)
    game = Game.objects.locked().select_related("round").filter(pk=game_id).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    refuse_stale(seen, game)
    if by is None and game.review:
        raise WaitsForRuling(game)
    if status in AFTER_THE_LOCK and not is_locked(game):
        raise RoundStillOpen(game)
    if (game.status, game.home_score, game.away_score, game.review) == (*said, ""):
        return False
    _refuse_correction(game, said, is_feed=by is None)
    if by is not None:
        remember_decision(game, by, reason)
    game.status, game.home_score, game.away_score = said
    game.review = ""
    attribute(by=by, reason=reason)
    game.save(update_fields=["status", "home_score", "away_score", "review"])
    tell_results_arrived(game.competition_id)
    return True


def _refuse_correction(game: Game, said: Said, *, is_feed: bool) -> None:
    """Raise where what is said needs two names."""
    differs = (game.status, game.home_score, game.away_score) != said
    if differs and game.is_ruled and (game.status in OUTCOMES or said.status not in WITH_SCORES):
        raise CorrectionNeedsRuling(game, RULED)
    if differs and game.status == GameStatus.FINAL and is_feed:
        raise CorrectionNeedsRuling(game, IS_FINAL)
    if not is_locked(game):
        return
    if differs and game.status in OUTCOMES and _is_graded(game):
        raise CorrectionNeedsRuling(game, SETTLED)
    if (game.review or said.status in NOT_PLAYED) and guards.picked([game.pk]):
        raise CorrectionNeedsRuling(game, PICKED)


def is_locked(game: Game) -> bool:
    """Whether the lock of its round has passed."""
    return game.round.locks_at is not None and game.round.locks_at <= database_now()


def _is_graded(game: Game) -> bool:
    """Whether a pool that is or was in play plays the game's round."""
    return Pool.objects.filter(
        competition_id=game.competition_id,
        status__in=(PoolStatus.OPEN, PoolStatus.RUNNING, PoolStatus.FINISHED),
        first_round_number__lte=game.round.number,
        last_round_number__gte=game.round.number,
    ).exists()


def check_result(status: str, home_score: int | None, away_score: int | None) -> None:
    """Raises VALIDATION_ERROR for a status without its scores, or scores without their status."""
    if status not in GameStatus.values:
        raise invalid("status", phrase("Must be one of {choices}.", choices=", ".join(GameStatus.values)))
    scores = {"home_score": home_score, "away_score": away_score}
    for field, score in scores.items():
        if status == GameStatus.FINAL and score is None:
            raise invalid(field, "A final game has both scores.")
        if score is not None and status not in WITH_SCORES:
            raise invalid(field, phrase("A game that is {status} has no score.", status=Name(status)))
        if score is not None and not 0 <= score <= HIGHEST_SCORE:
            raise invalid(field, phrase("Must be from 0 to {highest}.", highest=HIGHEST_SCORE))
    if (home_score is None) != (away_score is None):
        raise invalid("away_score" if away_score is None else "home_score", "Give both scores or none.")


@transaction.atomic
def close_review(*, game_id: int, by: User, reason: str) -> bool:
    """Let a raised game stand as it is; whether anything was open. No import raises the same difference again.

    Refuses with CORRECTION_NEEDS_RULING a game with picks whose round has locked: there `stands` is a ruling.
    """
    if not reason.strip():
        raise invalid("reason", "Say why the game may stand as it is.")
    game = Game.objects.locked().select_related("round").filter(pk=game_id).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    if not game.review:
        return False
    if is_locked(game) and guards.picked([game.pk]):
        raise CorrectionNeedsRuling(game, PICKED)
    remember_decision(game, by, reason.strip())
    game.review = ""
    attribute(by=by, reason=reason.strip())
    game.save(update_fields=["review"])
    return True
