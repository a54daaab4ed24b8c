"""The fixed lock of a round: an instant that staff set, for contests that lock before the first kickoff."""

from datetime import datetime

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.errors import Code, Conflict, NotFound, invalid
from config.phrases import phrase
from pools.models import Round


class RoundHasLocked(Conflict):
    """What everybody has seen locked stays locked."""

    def __init__(self, round_: Round) -> None:
        super().__init__(
            Code.INVALID_TRANSITION,
            phrase("Round {round} has locked; its lock cannot change any more.", round=round_.number),
            {"round": round_.number, "locks_at": round_.locks_at},
        )


@transaction.atomic
def fix_lock(*, round_id: int, locks_at: datetime | None, by: User, now: datetime, reason: str) -> bool:
    """Lock the round at this instant, or at its first kickoff alone (None); whether that changed anything.

    It holds for every pool of the competition with `lock = round`. A kickoff that comes earlier still locks. Refuses a
    round that has locked, an instant that has passed, and a change without a reason.
    """
    if not reason.strip():
        raise invalid("reason", "Say why: players plan by the lock.")
    round_ = Round.objects.locked().filter(pk=round_id).first()
    if round_ is None:
        raise NotFound(Code.NOT_FOUND, "There is no such round.")
    if round_.locks_at is not None and round_.locks_at <= now:
        raise RoundHasLocked(round_)
    if locks_at is not None and locks_at <= now:
        raise invalid("fixed_locks_at", "Must be in the future.")
    if round_.fixed_locks_at == locks_at:
        return False
    attribute(by=by, reason=reason.strip())
    round_.fixed_locks_at = locks_at
    round_.save(update_fields=["fixed_locks_at"])
    return True
