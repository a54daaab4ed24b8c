"""A reconciliation that a person wants now: asked for on a page, carried out by a worker."""

from typing import Any

from django.db import transaction

from accounts.models import User
from config import outbox
from config.clock import database_now
from config.errors import Code, Conflict
from payments.models import ReconciliationRun, RunStatus
from payments.reconciliation.feed import for_each_provider, run_deep
from payments.reconciliation.tie_outs import check_tie_outs


class AlreadyRunning(Conflict):
    """One is at work."""

    def __init__(self) -> None:
        super().__init__(Code.ALREADY_RUNNING, "A reconciliation is at work already. Look at it when it has ended.")


@transaction.atomic
def want_run(*, by: User) -> None:
    """Have a worker reconcile the days of an ordinary night, and check that the money agrees.

    Refuses (`AlreadyRunning`) while a run is at work. Within the same minute it is asked for once.
    """
    if ReconciliationRun.objects.filter(status=RunStatus.RUNNING).exists():
        raise AlreadyRunning
    minute = f"{database_now():%Y%m%d%H%M}"
    outbox.post(kind="reconciliation.wanted", key=f"reconciliation-wanted-{minute}", payload={"by": by.pk})


@outbox.handler("reconciliation.wanted")
def _carry_out(payload: dict[str, Any]) -> None:
    """What is at work already when its turn comes is not waited for: it does the same."""
    by = User.objects.get(pk=payload["by"])
    for_each_provider(lambda name: run_deep(provider=name, by=by))
    check_tie_outs(by=by)
