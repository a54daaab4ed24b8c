"""Running a settlement: one at a time per competition, whole or not at all."""

import logging
from dataclasses import dataclass
from datetime import timedelta

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from config.audit import attribute
from config.clock import database_now
from config.locks import advisory_lock
from entries.queries.reveal import revealed_rounds
from entries.services.settlement.apply import Difference, apply_difference
from entries.services.settlement.derive import derive_fates
from pools.models import Competition, PoolStatus

logger = logging.getLogger(__name__)

CORRECTABLE = timedelta(days=14)


@dataclass(frozen=True)
class Settlement:
    """What one settlement of a competition changed, or would change."""

    competition_id: int
    through: int | None
    dry_run: bool
    difference: Difference


class _Undo(Exception):
    """Carries a dry run's answer out of the transaction that it rolls back."""


def settle_competition(*, competition_id: int, through: int | None = None, dry_run: bool = False) -> Settlement:
    """Settle what is final in all pools of the competition.

    `through` holds back rounds above that number; it never takes back what stands. `dry_run` changes nothing and
    says what would. Safe to call at any time, from anywhere, twice at once: the second waits and finds nothing to do.
    """
    revealed_rounds(competition_id)
    difference = Difference()
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            advisory_lock("settle", competition_id)
            attribute(reason="settlement")
            derive_fates(cursor, competition_id=competition_id, through=through)
            difference = apply_difference(cursor)
            # Temporary tables live until the transaction's end; inside a caller's transaction that is not ours.
            _drop_temporary(cursor)
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    if not difference.is_nothing:
        logger.info("settled", extra={"competition": competition_id, "dry_run": dry_run, **difference._asdict()})
    return Settlement(competition_id, through, dry_run, difference)


def settle_due() -> list[Settlement]:
    """Settle every competition with pools in play or newly finished. One that fails does not keep the others waiting.

    A correction that comes more than `CORRECTABLE` after a pool's end is settled by hand.
    """
    in_play = Q(pools__status__in=(PoolStatus.OPEN, PoolStatus.RUNNING))
    newly_finished = Q(pools__status=PoolStatus.FINISHED, pools__settled_at__gte=database_now() - CORRECTABLE)
    done = []
    for competition_id in Competition.objects.filter(in_play | newly_finished).distinct().values_list("pk", flat=True):
        try:
            done.append(settle_competition(competition_id=competition_id))
        except Exception:
            logger.exception("settlement failed", extra={"competition": competition_id})
    return done


def _drop_temporary(cursor: CursorWrapper) -> None:
    cursor.execute(
        "DROP TABLE settling_round, settling_loss, settling_revived, settling_fate, settling_alive,"
        " settling_end, settling_winner, settling_prize, settling_change"
    )
