"""Playing what was asked for, by a worker: how far it is, how it ended, and once more where a worker died."""

import logging
import threading
from datetime import datetime, timedelta
from typing import Any

from django.db import Error, connection, transaction

from config import outbox
from config.clock import ClockTimestamp
from config.errors import Code, DomainError
from config.housekeeping import forgets
from entries.models import Rehearsal, RehearsalState
from entries.services.rehearsals.asking import RUN
from entries.services.rehearsals.playing import play

logger = logging.getLogger(__name__)

BEAT_SECONDS = 1.0
MAX_ATTEMPTS = 3
KEPT_DAYS = 90
LONGEST_ERROR = 500


def run_rehearsal(*, rehearsal_id: int) -> None:
    """Play it and keep the result. One that has ended stays as it is; playing again what a worker left gives the same.

    What fails for a reason that may pass is raised, to be tried again; at the third time it has failed. So has one that
    three workers died of: else whoever asked for it would wait for ever.
    """
    rehearsal = _begun(rehearsal_id)
    if rehearsal is None:
        return
    if rehearsal.attempts > MAX_ATTEMPTS:
        _end(rehearsal, error=DomainError(Code.INTERNAL_ERROR, "It failed three times. The log says why."))
        return
    try:
        with Progress(rehearsal.pk) as progress:
            result = play(rehearsal, on_round=progress.note)
    except DomainError as refusal:
        _end(rehearsal, error=refusal)
    except Exception:
        if rehearsal.attempts < MAX_ATTEMPTS:
            raise
        logger.exception("rehearsal %s failed", rehearsal.pk)
        _end(rehearsal, error=DomainError(Code.INTERNAL_ERROR, "It failed three times. The log says why."))
    else:
        _end(rehearsal, result=result)


@outbox.handler(RUN)
def _run(payload: dict[str, int]) -> None:
    run_rehearsal(rehearsal_id=payload["rehearsal"])


@forgets("rehearsals", f"{KEPT_DAYS} days after they were asked for", task="entries.tasks.forget_old_rehearsals")
def forget_old_rehearsals(*, now: datetime, limit: int = 200) -> int:
    """Delete rehearsals with their results; how many."""
    old = Rehearsal.objects.filter(created_at__lt=now - timedelta(days=KEPT_DAYS)).order_by("created_at")
    return Rehearsal.objects.filter(pk__in=list(old.values_list("pk", flat=True)[:limit])).delete()[0]


class Progress:
    """Writes every second how many rounds are done, over a connection of its own: the other is busy until the end."""

    def __init__(self, rehearsal_id: int) -> None:
        self._rehearsal_id = rehearsal_id
        self._rounds = 0
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._write, name=f"rehearsal-{rehearsal_id}", daemon=True)

    def note(self, rounds: int) -> None:
        """So many rounds are done."""
        self._rounds = rounds

    def __enter__(self) -> "Progress":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _write(self) -> None:
        try:
            while not self._is_over.wait(BEAT_SECONDS):
                Rehearsal.objects.filter(pk=self._rehearsal_id).update(rounds_done=self._rounds)
        except Error as error:
            logger.warning("rehearsal %s cannot say how far it is: %s", self._rehearsal_id, type(error).__name__)
        finally:
            connection.close()


@transaction.atomic
def _begun(rehearsal_id: int) -> Rehearsal | None:
    """The row as it is now being played; None where it has ended, or is gone."""
    rehearsal = Rehearsal.objects.locked().filter(pk=rehearsal_id).first()
    if rehearsal is None or rehearsal.status in (RehearsalState.DONE, RehearsalState.FAILED):
        return None
    if rehearsal.status == RehearsalState.QUEUED:
        rehearsal.move_to(RehearsalState.RUNNING)
    rehearsal.attempts, rehearsal.rounds_done = rehearsal.attempts + 1, 0
    rehearsal.save(update_fields=["status", "attempts", "rounds_done"])
    return rehearsal


@transaction.atomic
def _end(rehearsal: Rehearsal, *, result: dict[str, Any] | None = None, error: DomainError | None = None) -> None:
    row = Rehearsal.objects.locked().get(pk=rehearsal.pk)
    if row.status != RehearsalState.RUNNING:
        return
    row.move_to(RehearsalState.DONE if error is None else RehearsalState.FAILED)
    row.result = result
    row.rounds_done = row.last_round_number - row.first_round_number + 1 if error is None else row.rounds_done
    row.error_code, row.error = ("", "") if error is None else (str(error.code), error.message[:LONGEST_ERROR])
    row.finished_at = ClockTimestamp()
    row.save(update_fields=["status", "result", "rounds_done", "error_code", "error", "finished_at"])
