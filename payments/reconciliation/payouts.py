"""Payouts of a provider to our bank (L4): all of late, and those that have not come to their end, one by one."""

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db.models import Q

from config.clock import database_now
from payments.models import (
    Discrepancy,
    DiscrepancyKind,
    ObjectKind,
    ProviderPayout,
    ProviderPayoutState,
    ReconciliationRun,
    RunKind,
    RunPhase,
)
from payments.models.discrepancy import OPEN_STATES
from payments.models.provider_payout import payout_key
from payments.providers import provider_named
from payments.providers.base import ListedObject
from payments.providers.faults import ProviderError
from payments.providers.port import PaymentProvider
from payments.reconciliation.runs import start_or_resume
from payments.services.movements import WrongMode
from payments.services.payout_items import reconcile_payout

logger = logging.getLogger(__name__)

# As far back as the list is walked, and as an unfinished payout is asked about: a bank may send it back for weeks.
LISTED = timedelta(days=35)
FOLLOWED = timedelta(days=90)


def reconcile_payouts(*, provider: str) -> ReconciliationRun | None:
    """Look at every payout of late, and at those that have not come to their end; None while another does.

    One that cannot be asked about never keeps the others waiting: it is tried again the next time.
    """
    adapter = provider_named(provider)

    def check(run: ReconciliationRun) -> None:
        references = _to_look_at(adapter)
        failed = {reference: why for reference in references if (why := _try(provider, reference))}
        run.found = {"payouts": len(references), **({"not_answered": len(failed)} if failed else {})}
        run.save(update_fields=["found"])

    return start_or_resume(
        kind=RunKind.PAYOUTS, provider=provider, livemode=adapter.livemode, steps={RunPhase.CHECKING: check}
    )


def _to_look_at(adapter: PaymentProvider) -> list[str]:
    """Those of the provider's list that are new here or have moved on, and those of ours that have not ended."""
    now = database_now()
    known = dict(ProviderPayout.objects.filter(provider=adapter.name).values_list("reference", "status"))
    listed = [
        one.object_id
        for one in _listed(adapter, since=now - LISTED, until=now)
        if known.get(one.object_id) != one.status
    ]
    doubted = Discrepancy.objects.filter(
        kind=DiscrepancyKind.PAYOUT_SUM_MISMATCH,
        status__in=OPEN_STATES,
        object_key__startswith=payout_key(adapter.name, ""),
    ).values_list("object_key", flat=True)
    ours = ProviderPayout.objects.filter(provider=adapter.name).filter(
        Q(created_at__gte=now - FOLLOWED)
        & (Q(status=ProviderPayoutState.UNDER_WAY) | Q(is_automatic=True, items_read_at=None))
        | Q(reference__in=[key.removeprefix(payout_key(adapter.name, "")) for key in doubted])
    )
    return list(dict.fromkeys([*ours.order_by("id").values_list("reference", flat=True), *reversed(listed)]))


def _listed(adapter: PaymentProvider, *, since: datetime, until: datetime) -> Iterator[ListedObject]:
    after: str | None = None
    while True:
        page = adapter.objects_page(ObjectKind.PAYOUT, since=since, until=until, after=after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def _try(provider: str, reference: str) -> str:
    """Why it could not be looked at; empty when it was."""
    try:
        reconcile_payout(provider=provider, reference=reference)
    except (ProviderError, WrongMode) as error:
        logger.warning("payout %s of %s could not be looked at: %s", reference, provider, error)
        return str(error)
    return ""
