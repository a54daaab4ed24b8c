"""What follows the deep run of a night: payouts, banks, and whether everything agrees."""

import logging
from datetime import timedelta

from django.conf import settings

from config.clock import database_now
from payments.models import ReconciliationRun, RunKind, RunStatus
from payments.reconciliation.banks import check_banks
from payments.reconciliation.feed import MOST_FAILURES, for_each_provider
from payments.reconciliation.payouts import reconcile_payouts
from payments.reconciliation.tie_outs import check_tie_outs
from payments.reconciliation.windows import last_night

logger = logging.getLogger(__name__)

# The deep run goes first, and heals what would not agree; a provider that is away does not keep us from checking.
PATIENCE = timedelta(hours=2)


def check_the_night() -> ReconciliationRun | None:
    """The checks of last night, where nobody has made them yet; None where there is nothing to do now."""
    now = database_now()
    night = last_night(now, settings.FINANCE_TIME_ZONE)
    tonight = ReconciliationRun.objects.filter(started_at__gte=night)
    ours = tonight.filter(kind=RunKind.INVARIANTS)
    if ours.filter(status=RunStatus.FINISHED).exists():
        return None
    if ours.filter(status=RunStatus.FAILED).count() >= MOST_FAILURES:
        return None
    deep = tonight.filter(kind=RunKind.DEEP, provider=settings.PAYMENT_PROVIDER)
    if now < night + PATIENCE and not deep.exclude(status=RunStatus.RUNNING).exists():
        return None
    for_each_provider(lambda name: reconcile_payouts(provider=name))
    try:
        check_banks()
    except Exception:
        # Its run says so, and has failed; whether the money agrees has to be known all the same.
        logger.exception("the banks could not be checked")
    return check_tie_outs()
