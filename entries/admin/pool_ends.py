"""What ends with a pool of requests, in numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db.models import Count, Q, Sum

from config.money import format_amount
from entries.models import Request, RequestKind, RequestStatus
from entries.services.places import OWING
from pools.admin.pool_ends import tells_ends
from pools.models import Pool

WAITS = Q(status=RequestStatus.PENDING)
OWES = Q(status=RequestStatus.APPROVED, payment_status__in=OWING)


def ending_requests(pools: Sequence[Pool]) -> Mapping[int, list[str]]:
    """Those not decided, and those not paid with the places that they hold and the money that they owe."""
    currency = {pool.pk: pool.currency for pool in pools}
    rows = (
        Request.objects.filter(WAITS | OWES, pool__in=pools)
        .order_by()
        .values_list("pool_id")
        .annotate(
            waiting=Count("pk", filter=WAITS),
            owing=Count("pk", filter=OWES),
            held=Count("pk", filter=OWES & Q(kind=RequestKind.ENTRY)),
            fees=Sum("fee_cents", filter=OWES, default=0),
        )
    )
    told = defaultdict[int, list[str]](list)
    for pool_id, waiting, owing, held, fees in rows:
        if waiting:
            told[pool_id].append(f"requests not decided, which are turned down: {waiting}.")
        if owing:
            money = format_amount(fees, currency[pool_id])
            what = f"requests approved and not paid, which are withdrawn: {owing}."
            told[pool_id].append(f"{what} They hold {held} places and owe {money}.")
    return told


tells_ends(ending_requests)
