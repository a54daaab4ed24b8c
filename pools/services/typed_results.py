"""Results by hand, typed twice: what one person typed counts only when it is typed again alike, without being seen.

The same person may type it again; whoever sends the same form twice has not. Equal ones become the result, by the same
service as everywhere; unequal ones change nothing but are kept as a difference, and the game is typed anew.
"""

from typing import NamedTuple

from django.db import transaction
from django.utils.translation import gettext_noop

from accounts.models import User
from config.clock import ClockTimestamp, database_now
from config.constraints import explain
from config.errors import Code, Conflict, NotFound, invalid
from config.phrases import Name, phrase
from pools.models import Game, GameStatus, TypedResult, TypedState
from pools.models.typed_result import LONGEST_NOTE
from pools.services.results import (
    OUTCOMES,
    CorrectionNeedsRuling,
    RoundStillOpen,
    check_result,
    is_locked,
    record_result,
)

TYPED_ALREADY = gettext_noop("Game {game} was typed already: look again.")
DECIDED_MEANWHILE = gettext_noop("Game {game} was decided meanwhile: look again.")

explain("typed_result_stays", Code.INVALID_TRANSITION, "What was typed stays as it was typed.")


class LookAgain(Conflict):
    """Somebody else was at the same game since the page was opened."""

    def __init__(self, game: Game, sentence: str) -> None:
        super().__init__(Code.VERSION_CONFLICT, phrase(sentence, game=game.external_id), {"game": game.pk})


class HasResult(Conflict):
    """There is nothing to type: another result takes a ruling."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.CORRECTION_NEEDS_RULING,
            phrase(
                "Game {game} is {status} already: to correct it, propose a ruling.",
                game=game.external_id,
                status=Name(game.status),
            ),
            {"game": game.pk, "status": game.status},
        )


class NotBegun(Conflict):
    """Nobody knows yet how it ends, and where each game locks for itself it can still be picked."""

    def __init__(self, game: Game) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("Game {game} has not begun.", game=game.external_id),
            {"kickoff_at": game.kickoff_at},
        )


class Typed(NamedTuple):
    """What a person typed: a final score, home side first, and the row that the page said waits (0 for none)."""

    home_score: int
    away_score: int
    waiting: int = 0


@transaction.atomic
def type_result(*, game_id: int, typed: Typed, by: User) -> TypedResult:
    """Type the final score of a game: once, or again if it was typed before. The row says what came of it.

    Whose page did not yet show that the game had been typed counts as the second where somebody else was the first:
    neither saw the other's. Refuses a score out of range; a game whose picks can still change, or that has not begun;
    one that had a result before anybody typed it; and with VERSION_CONFLICT what was decided since the page was opened,
    or is sent twice.
    """
    check_result(GameStatus.FINAL, typed.home_score, typed.away_score)
    game = Game.objects.locked().select_related("round").filter(pk=game_id).first()
    if game is None:
        raise NotFound(Code.NOT_FOUND, "There is no such game.")
    first = TypedResult.objects.locked().filter(game=game, status=TypedState.ONCE).first()
    if first is None:
        return _typed_once(game, typed, by)
    if typed.waiting != first.pk and (typed.waiting or first.typed_by_id == by.pk):
        raise LookAgain(game, TYPED_ALREADY)
    return _typed_again(first, typed, by)


@transaction.atomic
def withdraw_typed_result(*, typed_id: int, by: User) -> TypedResult:
    """Take back what was typed once. Refuses what was typed again, or taken back, already."""
    row = TypedResult.objects.locked().filter(pk=typed_id).first()
    if row is None:
        raise NotFound(Code.NOT_FOUND, "Nothing was typed under this number.")
    row.move_to(TypedState.WITHDRAWN)
    row.decided_by, row.decided_at = by, ClockTimestamp()
    row.save(update_fields=["status", "decided_by", "decided_at"])
    row.refresh_from_db()
    return row


def _typed_once(game: Game, typed: Typed, by: User) -> TypedResult:
    if typed.waiting:
        raise LookAgain(game, DECIDED_MEANWHILE)
    if game.status in OUTCOMES:
        raise HasResult(game)
    if not is_locked(game):
        raise RoundStillOpen(game)
    if game.kickoff_at > database_now():
        raise NotBegun(game)
    row = TypedResult.objects.create(game=game, home_score=typed.home_score, away_score=typed.away_score, typed_by=by)
    row.refresh_from_db()
    return row


def _typed_again(row: TypedResult, typed: Typed, by: User) -> TypedResult:
    row.again_home_score, row.again_away_score = typed.home_score, typed.away_score
    row.decided_by, row.decided_at = by, ClockTimestamp()
    if (row.home_score, row.away_score) != (typed.home_score, typed.away_score):
        row.move_to(TypedState.DIFFERS)
    else:
        row.note = _taken(row, by)
        row.move_to(TypedState.HELD if row.note else TypedState.TAKEN)
    row.save(update_fields=["again_home_score", "again_away_score", "status", "decided_by", "decided_at", "note"])
    row.refresh_from_db()
    return row


def _taken(row: TypedResult, by: User) -> str:
    """Record the score; why the game cannot take it any more, or nothing. A feed may have been quicker."""
    try:
        with transaction.atomic():
            record_result(
                game_id=row.game_id,
                status=GameStatus.FINAL,
                home_score=row.home_score,
                away_score=row.away_score,
                by=by,
                reason=f"typed twice: typed result {row.pk}",
            )
    except CorrectionNeedsRuling as refusal:
        return refusal.message[:LONGEST_NOTE]
    return ""


def read_score(text: str, field: str) -> int:
    """The score that somebody typed. Refuses everything but digits."""
    if not (text.isascii() and text.isdigit() and len(text) <= 3):
        raise invalid(field, "Type a whole number from 0 to 999.")
    return int(text)
