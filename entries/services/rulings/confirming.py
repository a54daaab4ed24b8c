"""Confirming a ruling: carried out and settled in one transaction, after a preview that did the same and undid it.

The settlement's lock comes first, so that nothing is settled between a look and its consequence; rows follow in the
order of the house. What was proposed is judged anew: the world may have changed since.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO, Any

from django.db import transaction

from accounts.models import User
from config import outbox
from config.clock import ClockTimestamp
from config.locks import advisory_lock, allow_long_statements
from entries.models import Entry, Ruling, RulingStatus, SettlementCause
from entries.queries.reveal import revealed_rounds
from entries.queries.rulings import has_entry_in, pools_concerned
from entries.services.rulings.decision import Stale
from entries.services.rulings.kinds import decision_of
from entries.services.rulings.people import check_confirms
from entries.services.rulings.tally import LISTED, Tally, lines_file
from entries.services.settlement import Difference, Line, settle_competition

MAIL = "mail.ruling"


@dataclass(frozen=True)
class Preview:
    """What confirming would change, as things stand now."""

    difference: Difference
    tally: Tally
    has_conflict: bool
    fingerprint: str


class _Undo(Exception):
    """Takes a preview back."""


def confirm_ruling(*, ruling: Ruling, by: User, seen: str | None = None) -> Ruling:
    """Carry out a proposed ruling and settle, with `by` as the second name; gives it with what that changed.

    `seen` is the fingerprint of the preview that was looked at: then exactly that is done, or nothing. Refuses with
    FORBIDDEN the proposer, the entry's owner and whoever does not run pools; with INVALID_TRANSITION what was decided
    already; with RULING_STALE what would change something else than was seen, and with that and the codes of each kind
    what the world no longer allows.
    """
    # Not in the transaction: a reveal keeps players from their picks until its own has ended.
    revealed_rounds(ruling.competition_id)
    with transaction.atomic():
        ruling = _lock(ruling)
        ruling.move_to(RulingStatus.CONFIRMED)
        check_confirms(by, ruling)
        ruling.decided_by, ruling.decided_at = by, ClockTimestamp()
        ruling.has_conflict = _has_conflict(ruling, by)
        ruling.before, own = _carry_out(ruling)
        ruling.save(update_fields=["status", "decided_by", "decided_at", "has_conflict", "before"])
        tally = Tally(own=own)
        settled = settle_competition(
            competition_id=ruling.competition_id, cause=SettlementCause.RULING, by=by, ruling=ruling, tell=tally
        )
        tally.finish()
        if seen is not None and seen != _fingerprint(ruling.before, settled.difference, tally):
            raise Stale("It would change something else than what you have seen: look at it again.", ruling=ruling.pk)
        ruling.difference = _numbers(settled.difference, tally)
        ruling.save(update_fields=["difference"])
        if ruling.entry_id is not None:
            outbox.post(kind=MAIL, key=f"ruling-{ruling.pk}", payload={"ruling": ruling.pk})
        ruling.refresh_from_db()
        return ruling


def preview_ruling(
    *, ruling: Ruling, by: User, listed: int = LISTED, write: Callable[[Line], object] | None = None
) -> Preview:
    """Everything that confirming would do, done and undone; `by` is who would confirm, as far as conflicts go.

    Refuses what confirming would refuse of anybody. The first `listed` lines of each sort are kept; `write` gets every
    one of them.
    """
    revealed_rounds(ruling.competition_id)
    preview = None
    try:
        with transaction.atomic():
            ruling = _lock(ruling)
            ruling.move_to(RulingStatus.CONFIRMED)
            before, own = _carry_out(ruling)
            tally = Tally(own=own, write=write, listed=listed)
            settled = settle_competition(
                competition_id=ruling.competition_id, dry_run=True, cause=SettlementCause.RULING, tell=tally
            )
            tally.finish()
            fingerprint = _fingerprint(before, settled.difference, tally)
            preview = Preview(settled.difference, tally, _has_conflict(ruling, by), fingerprint)
            raise _Undo
    except _Undo:
        assert preview is not None
        return preview


def previewed_file(*, ruling: Ruling, by: User) -> IO[bytes]:
    """Every line of the preview as CSV, in a nameless file on disk, open at its beginning."""
    return lines_file(lambda write: preview_ruling(ruling=ruling, by=by, listed=0, write=write))


def _lock(ruling: Ruling) -> Ruling:
    """The ruling as it stands, under the settlement's lock, which comes before all rows."""
    # A correction of a million entries takes its time.
    allow_long_statements()
    advisory_lock("settle", ruling.competition_id)
    return Ruling.objects.select_related("proposed_by", "entry").locked().get(pk=ruling.pk)


def _has_conflict(ruling: Ruling, by: User) -> bool:
    return has_entry_in(pools_concerned(ruling), (ruling.proposed_by_id, by.pk))


def _carry_out(ruling: Ruling) -> tuple[dict[str, Any], Line | None]:
    """Do it; how things stood before, and what it did itself to the entry that it is about."""
    was = _entry_of(ruling)
    decision = decision_of(ruling)
    decision.look()
    before = decision.carry_out()
    now = _entry_of(ruling)
    return before, None if was is None or now is None else _own_line(was, now)


def _entry_of(ruling: Ruling) -> Entry | None:
    if ruling.entry_id is None:
        return None
    return Entry.objects.select_related("pool", "user").get(pk=ruling.entry_id)


def _own_line(was: Entry, now: Entry) -> Line | None:
    """From how the entry stood to how the ruling left it; None where it left the entry to settlement."""
    if was.status == now.status:
        return None
    return Line(
        entry_id=now.pk,
        pool_id=now.pool_id,
        pool=now.pool.name,
        player=now.user.display_name,
        number=now.number,
        reference=now.reference,
        from_status=was.status,
        to_status=now.status,
        from_round=was.eliminated_round_number,
        to_round=now.eliminated_round_number,
        code=now.eliminated_code,
        from_prize_cents=was.prize_cents,
        to_prize_cents=now.prize_cents,
        currency=now.pool.currency,
    )


def _fingerprint(before: Mapping[str, Any], difference: Difference, tally: Tally) -> str:
    """Of how a game stood before, and of everything that changes by the ruling; the same for the same alone."""
    facts = [before.get("was"), difference._asdict(), tally.fingerprint]
    return hashlib.sha256(json.dumps(facts, sort_keys=True, default=str).encode()).hexdigest()


def _numbers(difference: Difference, tally: Tally) -> dict[str, Any]:
    """What the ruling keeps of what it changed."""
    ends = {"pools_finished": difference.pools_finished, "pools_reopened": difference.pools_reopened}
    return {**{name: count for name, count in ends.items() if count}, **tally.numbers()}
