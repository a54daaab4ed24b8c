"""What deciding about requests will do, in numbers: for the pages that ask before."""

from django.db.models import Count, QuerySet

from entries.models import PaymentStatus, Request, RequestStatus
from pools.models import Pool

DECIDES = "entries.change_request"
# Pools named one by one on a confirm page.
NAMED_POOLS = 20


def pending_of(rows: QuerySet[Request]) -> str:
    """How many of the chosen rows can be decided at all."""
    return f"{rows.filter(status=RequestStatus.PENDING).count()} of {rows.count()} are pending; the others are refused."


def what_approval_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `approve`: places wanted and places free, pool by pool."""
    wanted = dict(rows.filter(status=RequestStatus.PENDING).order_by().values_list("pool").annotate(number=Count("pk")))
    held = dict(
        Request.objects.holding_a_place().filter(pool__in=wanted).order_by().values_list("pool").annotate(Count("pk"))
    )
    said = [pending_of(rows), "Each gets a place, a mail and its time to pay; free pools make the entry at once."]
    for pool in Pool.objects.filter(pk__in=wanted).order_by("name", "pk")[:NAMED_POOLS]:
        free = "no limit" if pool.capacity is None else f"{max(pool.capacity - held.get(pool.pk, 0), 0)} free"
        said.append(f"{pool.name}: {wanted[pool.pk]} asked, {free}. The oldest requests come first.")
    return said


def what_rejection_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `reject`."""
    return [pending_of(rows), "The players read the reason. A rejection is final, and its number stays used."]


def what_waiting_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `put_on_waiting_list`."""
    return [pending_of(rows), "When a place falls free, the first in line is approved without another question."]


def what_taking_back_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `take_back`."""
    approved = rows.filter(status=RequestStatus.APPROVED).exclude(payment_status=PaymentStatus.REFUNDED).count()
    return [
        f"{approved} of {rows.count()} are approved. Those not paid for lose their place, or their way back in.",
        "Pending ones are withdrawn as well. The players read the reason, and may ask again.",
    ]
