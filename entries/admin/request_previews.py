"""What deciding about requests will do, in numbers: for the pages that ask before."""

from django.db.models import Count, QuerySet
from django.utils.translation import gettext

from config.phrases import tell, tell_of
from entries.models import PaymentStatus, Request, RequestStatus
from pools.models import Pool

DECIDES = "entries.change_request"
# Pools named one by one on a confirm page.
NAMED_POOLS = 20


def pending_of(rows: QuerySet[Request]) -> str:
    """How many of the chosen rows can be decided at all."""
    return tell_of(
        rows.filter(status=RequestStatus.PENDING).count(),
        "{count} of {total} is pending; the others are refused.",
        "{count} of {total} are pending; the others are refused.",
        total=rows.count(),
    )


def what_approval_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `approve`: places wanted and places free, pool by pool."""
    wanted = dict(rows.filter(status=RequestStatus.PENDING).order_by().values_list("pool").annotate(number=Count("pk")))
    held = dict(
        Request.objects.holding_a_place().filter(pool__in=wanted).order_by().values_list("pool").annotate(Count("pk"))
    )
    said = [
        pending_of(rows),
        gettext("Each gets a place, a mail and its time to pay; free pools make the entry at once."),
    ]
    for pool in Pool.objects.filter(pk__in=wanted).order_by("name", "pk")[:NAMED_POOLS]:
        asked = {"pool": pool.name, "wanted": wanted[pool.pk]}
        if pool.capacity is None:
            said.append(tell("{pool}: {wanted} asked, no limit. The oldest requests come first.", **asked))
        else:
            free = max(pool.capacity - held.get(pool.pk, 0), 0)
            said.append(
                tell("{pool}: {wanted} asked, {free} free. The oldest requests come first.", free=free, **asked)
            )
    return said


def what_rejection_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `reject`."""
    return [pending_of(rows), gettext("The players read the reason. A rejection is final, and its number stays used.")]


def what_waiting_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `put_on_waiting_list`."""
    return [
        pending_of(rows),
        gettext("When a place falls free, the first in line is approved without another question."),
    ]


def what_taking_back_does(rows: QuerySet[Request]) -> list[str]:
    """The preview of `take_back`."""
    approved = rows.filter(status=RequestStatus.APPROVED).exclude(payment_status=PaymentStatus.REFUNDED).count()
    return [
        tell_of(
            approved,
            "{count} of {total} is approved. Those not paid for lose their place, or their way back in.",
            "{count} of {total} are approved. Those not paid for lose their place, or their way back in.",
            total=rows.count(),
        ),
        gettext("Pending ones are withdrawn as well. The players read the reason, and may ask again."),
    ]
