"""Running a settlement: one at a time per competition, whole or not at all."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models import Q

from accounts.models import User
from config import outbox
from config.audit import attribute
from config.clock import database_now
from config.locks import advisory_lock, allow_long_statements
from entries.models import Ruling, SettlementCause
from entries.queries.reveal import revealed_rounds
from entries.services.settlement import facts, losses
from entries.services.settlement.apply import Difference, find_difference, post_prizes_moved, write_difference
from entries.services.settlement.ends import end_round, share_out
from entries.services.settlement.fill_in import fill_in_missed
from entries.services.settlement.lines import Line, changed_lines
from entries.services.settlement.telling import tell_settled_rounds
from pools.models import Competition, PoolStatus

logger = logging.getLogger(__name__)

CORRECTABLE = timedelta(days=14)
TABLES = ("games", "round", "mark", "pool", "loss", "strike", "fallen", "place", "change")

# A pool's entries are hashed, not probed one by one; no more than one settlement of a competition runs at a time.
MEMORY = "SET LOCAL work_mem = '128MB'"

Tell = Callable[[Iterator[Line]], None]
BeforeRound = Callable[[int, int], None]


@dataclass(frozen=True)
class Settlement:
    """What one settlement of a competition changed, or would change."""

    competition_id: int
    through: int | None
    dry_run: bool
    difference: Difference
    settlement_id: int | None = None


class _Undo(Exception):
    """Takes a dry run back."""


def settle_competition(
    *,
    competition_id: int,
    through: int | None = None,
    dry_run: bool = False,
    afresh: bool = False,
    cause: str = SettlementCause.COMMAND,
    by: User | None = None,
    ruling: Ruling | None = None,
    tell: Tell | None = None,
    may_take_long: bool = False,
) -> Settlement:
    """Settle what is final in all pools of the competition, from the first round on whose facts have changed.

    `through` holds back rounds above that number; it never takes back what later rounds have brought. `dry_run`
    changes nothing and says what would. `afresh` derives every fate from the first round on, which gives the same.
    `tell` is handed the changes, line by line, before they are written; with `may_take_long` staff wait for it. Whoever
    calls it in a transaction takes the settlement's lock before: what is revealed here keeps players from their picks
    until that transaction ends. Safe to call at any time, from anywhere, twice
    at once: the second waits and finds nothing to do.
    """
    revealed_rounds(competition_id)
    difference, settlement_id = Difference(), None
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            if may_take_long:
                allow_long_statements()
            advisory_lock("settle", competition_id)
            cursor.execute(MEMORY)
            if facts.gather_facts(cursor, competition_id=competition_id, through=through, afresh=afresh):
                filled = derive(cursor)
                difference = find_difference(cursor, to_write=not dry_run)._replace(filled_in=filled)
                if tell is not None:
                    tell(changed_lines())
                if not dry_run:
                    settlement_id = _write(cursor, competition_id, through, difference, cause, by, ruling)
            # Temporary tables live until the transaction's end; inside a caller's transaction that is not ours.
            cursor.execute("DROP TABLE IF EXISTS " + ", ".join(f"settling_{name}" for name in TABLES))
            if dry_run:
                raise _Undo
    except _Undo:
        pass
    if not difference.is_nothing:
        logger.info("settled", extra={"competition": competition_id, "dry_run": dry_run, **difference._asdict()})
    return Settlement(competition_id, through, dry_run, difference, settlement_id)


def settle_due() -> list[Settlement]:
    """Settle every competition with pools in play or newly finished. One that fails does not keep the others waiting.

    A correction that comes more than `CORRECTABLE` after a pool's end is settled by hand.
    """
    in_play = Q(pools__status__in=(PoolStatus.OPEN, PoolStatus.RUNNING))
    newly_finished = Q(pools__status=PoolStatus.FINISHED, pools__settled_at__gte=database_now() - CORRECTABLE)
    done = []
    for competition_id in Competition.objects.filter(in_play | newly_finished).distinct().values_list("pk", flat=True):
        try:
            done.append(settle_competition(competition_id=competition_id, cause=SettlementCause.RESULTS))
        except Exception:
            logger.exception("settlement failed", extra={"competition": competition_id})
    return done


@outbox.handler("results.arrived")
def settle_arrived(payload: dict[str, Any]) -> None:
    """Results came in, or somebody came back: do not wait for the next sweep."""
    settle_competition(competition_id=int(payload["competition"]), cause=SettlementCause.RESULTS)


def derive(cursor: CursorWrapper, *, before_round: BeforeRound | None = None) -> int:
    """Go through the rounds in play order: fill in, grade, end; then share out. How many picks were filled in.

    `before_round` is told of each round, its id and its number, before anything of it is looked at.
    """
    kept = losses.begin_losses(cursor)
    filled, is_first = 0, True
    for round_id, number, any_two, any_fill in facts.rounds_to_settle(cursor):
        if before_round is not None:
            before_round(round_id, number)
        if any_fill:
            filled += fill_in_missed(cursor, round_id=round_id)
        losses.grade_round(cursor, round_id=round_id, number=number, kept=kept, any_two=any_two, is_first=is_first)
        end_round(cursor, number=number)
        is_first = False
    share_out(cursor)
    return filled


def _write(
    cursor: CursorWrapper,
    competition_id: int,
    through: int | None,
    difference: Difference,
    cause: str,
    by: User | None,
    ruling: Ruling | None,
) -> int | None:
    """Write what differs under the number of a settlement, whose row says which changes are its own."""
    facts.remember_facts(cursor, through=through)
    tell_settled_rounds(cursor)
    if difference.is_nothing:
        return None
    cursor.execute("SELECT nextval(pg_get_serial_sequence('entries_settlement', 'id'))")
    settlement_id = int(cursor.fetchone()[0])
    attribute(by=by, reason=f"settlement {settlement_id}")
    cursor.execute("SELECT coalesce(max(id), 0) FROM entries_entrychange")
    first = cursor.fetchone()[0]
    write_difference(cursor, settlement_id=settlement_id)
    cursor.execute(
        """
        INSERT INTO entries_settlement (id, competition_id, cause, ruling_id, by_id, through, at, difference,
                                        first_change_id, last_change_id)
        SELECT %s, %s, %s, %s, %s, %s, clock_timestamp(), %s::jsonb, %s + 1, coalesce(max(id), 0)
        FROM entries_entrychange
        """,
        [
            settlement_id, competition_id, str(cause), None if ruling is None else ruling.pk,
            None if by is None else by.pk, through, json.dumps(difference._asdict()), first,
        ],
    )  # fmt: skip
    post_prizes_moved(settlement_id)
    return settlement_id
