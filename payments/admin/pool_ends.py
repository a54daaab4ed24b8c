"""What money of a pool is under way when the pool ends, in numbers."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from django.db.models import Count, QuerySet, Sum

from config.phrases import Money, tell
from payments.models import Payment, Receipt, ReceiptState
from pools.admin.pool_ends import tells_ends
from pools.models import Pool


def money_under_way(pools: Sequence[Pool]) -> Mapping[int, list[str]]:
    """Payments that are begun, and receipts that have no place."""
    told = defaultdict[int, list[str]](list)
    for pool_id, currency, count, cents in _by_pool(Payment.objects.live(), "request__pool", pools):
        told[pool_id].append(
            tell(
                "payments begun and not ended, which make no entry any more: {count}, of {amount}.",
                count=count,
                amount=Money(cents, currency),
            )
        )
    unapplied = Receipt.objects.filter(status=ReceiptState.UNAPPLIED)
    for pool_id, currency, count, cents in _by_pool(unapplied, "payment__request__pool", pools):
        told[pool_id].append(
            tell(
                "receipts without a place, which somebody gives back: {count}, of {amount}.",
                count=count,
                amount=Money(cents, currency),
            )
        )
    return told


def _by_pool(rows: QuerySet[Any], path: str, pools: Sequence[Pool]) -> list[tuple[int, str, int, int]]:
    """Pool, currency, how many, how much."""
    ours = rows.filter(**{f"{path}__in": pools}).order_by(f"{path}_id", "currency")
    return list(ours.values_list(f"{path}_id", "currency").annotate(Count("pk"), Sum("amount_cents")))


tells_ends(money_under_way)
