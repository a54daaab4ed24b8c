"""Reading requests: with their entry, and how far up the waiting list they are."""

from django.db.models import Case, Count, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from entries.models import Request, RequestStatus
from entries.models.request import RequestQuerySet


def requests_in_full(requests: RequestQuerySet | None = None) -> RequestQuerySet:
    """The requests with entry, user and pool joined, and `waiting_list_position` (from 1; None off the list).

    The position is counted for rows that wait, and for no others, along an index of just those.
    """
    since, own_id = OuterRef("waitlisted_at"), OuterRef("id")
    ahead = (
        Request.objects.waiting_list()
        .filter(Q(waitlisted_at__lt=since) | Q(waitlisted_at=since, id__lt=own_id), pool=OuterRef("pool"))
        .order_by()
        .values("pool")
        .annotate(number=Count("id"))
        .values("number")
    )
    position = Case(
        When(
            status=RequestStatus.PENDING,
            waitlisted_at__isnull=False,
            then=Coalesce(Subquery(ahead), Value(0)) + 1,
        ),
        output_field=IntegerField(null=True),
    )
    found = Request.objects.all() if requests is None else requests
    return found.select_related("entry", "user", "pool").annotate(waiting_list_position=position)
