"""When healing stops by itself: more of a kind than is healed unasked is mostly a wrong key, account or mode.

What is here under our own name and with the same amount may be healed in thousands: news that was lost for a day. What
would be made out of what only the provider knows may not, and not if it is most of what was read. A person who has
looked can let it go on: for a day, for that kind.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.db import connection, transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now
from config.errors import Code, Conflict
from payments.models import Discrepancy, DiscrepancyKind, DiscrepancyState, ReconciliationRun, StagedMovement
from payments.models.discrepancy import OPEN_STATES
from payments.reconciliation.dispositions import disposition
from payments.services.discrepancies import raise_discrepancy, resolve, settle_discrepancy

# So many times as many of those that are ours by name and amount.
KNOWN_FACTOR = 10
# Fewer than this can be most of what was read on any quiet night.
MAJORITY_FROM = 50
GOES_ON_FOR = timedelta(days=1)

WAITING = """
    SELECT kind, count(*), count(*) FILTER (WHERE (details ->> 'known')::boolean IS NOT TRUE) FROM payments_discrepancy
    WHERE last_run_id = %(run)s AND status IN ('open', 'acknowledged') AND details ? 'target' GROUP BY kind
"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many of a kind could be healed now; `unknown`: those that only the provider knows."""

    all: int
    unknown: int


def _waiting(run: ReconciliationRun) -> dict[str, Waiting]:
    """What the run has found and could heal, by kind."""
    with connection.cursor() as cursor:
        cursor.execute(WAITING, {"run": run.pk})
        found = {kind: Waiting(count, unknown) for kind, count, unknown in cursor.fetchall()}
    return {kind: one for kind, one in found.items() if disposition(kind).heal is not None}


def stopped(run: ReconciliationRun) -> dict[str, int]:
    """The kinds of which nothing is healed now, with how many; each is put before a person, and taken back again."""
    found = _waiting(run)
    is_foreign = _open(DiscrepancyKind.FOREIGN_ACCOUNT, f"account:{run.provider}")
    read = StagedMovement.objects.filter(run_id=run.pk).count()
    stops = {kind: one for kind, one in found.items() if _is_too_much(kind, one, read, is_foreign)}
    stops = {kind: one for kind, one in stops.items() if not _is_let(run, kind)}
    for kind, one in stops.items():
        _tell(run, kind, one, read)
    quiet = Discrepancy.objects.filter(
        kind=DiscrepancyKind.MASS_HEALING, object_key__startswith=f"healing:{run.provider}:", status__in=OPEN_STATES
    ).exclude(object_key__in=[_key(run, kind) for kind in stops])
    for key in quiet.values_list("object_key", flat=True):
        settle_discrepancy(
            kind=DiscrepancyKind.MASS_HEALING, object_key=key, resolution=f"Run {run.pk} found few enough."
        )
    return {kind: one.all for kind, one in stops.items()}


@transaction.atomic
def let_healing_go_on(*, run: ReconciliationRun, by: User, reason: str) -> list[Discrepancy]:
    """A person has looked at what a run was stopped at: the runs of the next day heal it however much it is.

    The rows of its kinds, resolved. Refuses a run of which none waits (INVALID_TRANSITION), and an empty reason.
    """
    keys = [_key(run, kind) for kind in run.stopped_healing]
    waiting = Discrepancy.objects.locked().filter(
        kind=DiscrepancyKind.MASS_HEALING, object_key__in=keys, status__in=OPEN_STATES
    )
    rows = list(waiting.order_by("id"))
    if not rows:
        raise Conflict(Code.INVALID_TRANSITION, "Nothing of this run waits for leave to be healed.")
    attribute(by=by, reason=reason)
    for row in rows:
        row.details = {**row.details, "goes_on": True}
        row.save(update_fields=["details"])
    return [resolve(discrepancy_id=row.pk, by=by, resolution=reason) for row in rows]


def _is_too_much(kind: str, one: Waiting, read: int, is_foreign: bool) -> bool:
    limit = settings.RECONCILIATION_HEALS_AT_MOST
    if one.unknown > limit or one.all - one.unknown > limit * KNOWN_FACTOR:
        return True
    if not disposition(kind).creates:
        return False
    return is_foreign or (read >= MAJORITY_FROM and one.unknown * 2 > read)


def _is_let(run: ReconciliationRun, kind: str) -> bool:
    newest = Discrepancy.objects.filter(kind=DiscrepancyKind.MASS_HEALING, object_key=_key(run, kind)).order_by("-id")
    row = newest.first()
    return (
        row is not None
        and row.status == DiscrepancyState.RESOLVED
        and row.details.get("goes_on") is True
        and row.closed_at is not None
        and row.closed_at > database_now() - GOES_ON_FOR
    )


def _tell(run: ReconciliationRun, kind: str, one: Waiting, read: int) -> None:
    label = DiscrepancyKind(kind).label
    raise_discrepancy(
        kind=DiscrepancyKind.MASS_HEALING,
        object_key=_key(run, kind),
        sentence=f"Run {run.pk} found {one.all} of the kind “{label}”, more than are healed unasked.",
        suggestion=disposition(DiscrepancyKind.MASS_HEALING).advice,
        details={"run": run.pk, "kind": kind, "provider": run.provider, "livemode": run.livemode},
        ours={"known": one.all - one.unknown, "limit": settings.RECONCILIATION_HEALS_AT_MOST},
        theirs={"unknown": one.unknown, "read": read},
    )


def _key(run: ReconciliationRun, kind: str) -> str:
    return f"healing:{run.provider}:{kind}"


def _open(kind: DiscrepancyKind, key: str) -> bool:
    return Discrepancy.objects.filter(kind=kind, object_key=key, status__in=OPEN_STATES).exists()
