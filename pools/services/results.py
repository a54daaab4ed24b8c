"""How a game ended, as staff or a feed say it. What follows for entries, settlement works out."""

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict, NotFound, invalid
from pools.models import Game, GameStatus

HIGHEST_SCORE = 999
# Before the lock a player could still pick the winner of a game whose result is known.
AFTER_THE_LOCK = (GameStatus.FINAL, GameStatus.IN_PROGRESS)
WITH_SCORES = (GameStatus.FINAL, GameStatus.IN_PROGRESS)


class RoundStillOpen(Conflict):
    """A score while picks for the round can still change."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            f"Round {game.round.number} has not locked: a result now would be known to those who still pick.",
            {"round": game.round.number, "locks_at": game.round.locks_at},
        )


class WaitsForRuling(Conflict):
    """Only a person may decide about a game that was raised for a ruling."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.INVALID_TRANSITION, f"Game {game.external_id} waits for a ruling: {game.review}", {"game": game.pk}
        )


@transaction.atomic
def record_result(
    *,
    game_id: int,
    status: str,
    home_score: int | None = None,
    away_score: int | None = None,
    by: User | None,
    reason: str = "",
) -> bool:
    """Set a game's status and score; whether that changed anything.

    Final needs both scores, 0-0 like any other; in progress may have both; everything else has none. Refuses a result
    while the round's picks can still change, and whatever a feed (`by` is None) says about a game that waits for a
    ruling; a person's word closes that.
    """
    check_result(status, home_score, away_score)
    game = Game.objects.locked().select_related("round").filter(pk=game_id).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    if by is None and game.review:
        raise WaitsForRuling(game)
    now = database_now()
    if status in AFTER_THE_LOCK and (game.round.locks_at is None or game.round.locks_at > now):
        raise RoundStillOpen(game)
    after = (status, home_score, away_score, "")
    if (game.status, game.home_score, game.away_score, game.review) == after:
        return False
    game.status, game.home_score, game.away_score, game.review = after
    attribute(by=by, reason=reason)
    game.save(update_fields=["status", "home_score", "away_score", "review"])
    return True


def check_result(status: str, home_score: int | None, away_score: int | None) -> None:
    """Raises VALIDATION_ERROR for a status without its scores, or scores without their status."""
    if status not in GameStatus.values:
        raise invalid("status", f"Must be one of {', '.join(GameStatus.values)}.")
    scores = {"home_score": home_score, "away_score": away_score}
    for field, score in scores.items():
        if status == GameStatus.FINAL and score is None:
            raise invalid(field, "A final game has both scores.")
        if score is not None and status not in WITH_SCORES:
            raise invalid(field, f"A game that is {status} has no score.")
        if score is not None and not 0 <= score <= HIGHEST_SCORE:
            raise invalid(field, f"Must be from 0 to {HIGHEST_SCORE}.")
    if (home_score is None) != (away_score is None):
        raise invalid("away_score" if away_score is None else "home_score", "Give both scores or none.")


@transaction.atomic
def close_review(*, game_id: int, by: User, reason: str) -> bool:
    """Let a raised game stand as it is; whether anything was open. The next import may raise it again."""
    if not reason.strip():
        raise invalid("reason", "Say why the game may stand as it is.")
    game = Game.objects.locked().filter(pk=game_id).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    if not game.review:
        return False
    game.review = ""
    attribute(by=by, reason=reason.strip())
    game.save(update_fields=["review"])
    return True
