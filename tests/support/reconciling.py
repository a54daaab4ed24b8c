"""Runs that look up to this very moment, and what the queue says after them."""

from datetime import timedelta

from django.db import connection

from config.clock import database_now
from payments.models import Discrepancy, ReconciliationRun, RunStatus
from payments.models.discrepancy import OPEN_STATES
from payments.reconciliation.feed import run_deep, run_feed

# Provider and house date by the second: what happened just now lies before this.
AHEAD = timedelta(seconds=3)


def deep(**how):
    """A finished run over the last three days, all lists."""
    return finished(run_deep(until=database_now() + AHEAD, **how))


def feed(**how):
    """A finished run over what moved."""
    return finished(run_feed(until=database_now() + AHEAD, **how))


def finished(run):
    run = ReconciliationRun.objects.get(pk=run.pk)
    assert (run.status, run.error) == (RunStatus.FINISHED, "")
    return run


def queue():
    """(kind, object_key) of every open row, sorted."""
    return sorted(Discrepancy.objects.filter(status__in=OPEN_STATES).values_list("kind", "object_key"))


def history():
    """(kind, status) of every row, oldest first."""
    return list(Discrepancy.objects.order_by("id").values_list("kind", "status"))


def behind_the_guards(sql, *parameters):
    """What no guard would let happen: a broken disk, a restored backup, a superuser."""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(sql, parameters)
        cursor.execute("SET session_replication_role = origin")


def is_quiet(run):
    """Whether a run after another has nothing to do: it opens, heals and closes nothing."""
    return not (run.opened or run.healed or run.closed or run.stopped_healing)
