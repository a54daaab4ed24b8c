"""What becomes of requests when their pool ends, or takes nobody in any more, in numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, Q, Sum

from config.phrases import Money, tell
from entries.models import Request, RequestKind, RequestStatus
from entries.services.places import OWING
from pools.admin.pool_ends import tells_closings, tells_ends
from pools.models import Pool

WAITS = Q(status=RequestStatus.PENDING)
OWES = Q(status=RequestStatus.APPROVED, payment_status__in=OWING)


def _numbers(pools: Sequence[Pool]) -> Any:
    """By pool: not decided, on the waiting list, not paid, the places that these hold, and the money that they owe."""
    return (
        Request.objects.filter(WAITS | OWES, pool__in=pools)
        .order_by()
        .values_list("pool_id")
        .annotate(
            waiting=Count("pk", filter=WAITS),
            listed=Count("pk", filter=WAITS & Q(waitlisted_at__isnull=False)),
            owing=Count("pk", filter=OWES),
            held=Count("pk", filter=OWES & Q(kind=RequestKind.ENTRY)),
            fees=Sum("fee_cents", filter=OWES, default=0),
        )
    )


def closing_requests(pools: Sequence[Pool]) -> Mapping[int, list[str]]:
    """Those that nobody can approve any more, and those that go on."""
    currency = {pool.pk: pool.currency for pool in pools}
    told = defaultdict[int, list[str]](list)
    for pool_id, waiting, listed, owing, _, fees in _numbers(pools):
        if waiting:
            told[pool_id].append(
                tell(
                    "requests not decided, which can only be rejected then: {waiting}, {listed} of them on the "
                    "waiting list.",
                    waiting=waiting,
                    listed=listed,
                )
            )
        if owing:
            told[pool_id].append(
                tell(
                    "requests approved and not paid, which keep their place until their time is over: {owing}. "
                    "They owe {money}.",
                    owing=owing,
                    money=Money(fees, currency[pool_id]),
                )
            )
    return told


def ending_requests(pools: Sequence[Pool]) -> Mapping[int, list[str]]:
    """Those not decided, and those not paid with the places that they hold and the money that they owe."""
    currency = {pool.pk: pool.currency for pool in pools}
    told = defaultdict[int, list[str]](list)
    for pool_id, waiting, _, owing, held, fees in _numbers(pools):
        if waiting:
            told[pool_id].append(tell("requests not decided, which are turned down: {waiting}.", waiting=waiting))
        if owing:
            told[pool_id].append(
                tell(
                    "requests approved and not paid, which are withdrawn: {owing}. Places that they hold: {held}; "
                    "money that they owe: {money}.",
                    owing=owing,
                    held=held,
                    money=Money(fees, currency[pool_id]),
                )
            )
    return told


tells_ends(ending_requests)
tells_closings(closing_requests)
