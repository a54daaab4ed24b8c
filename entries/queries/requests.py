"""Reading requests: with their entry, how far up the waiting list they are, and whether paying still buys anything."""

from datetime import datetime

from django.db.models import Case, Count, F, IntegerField, OuterRef, Q, Subquery, Value, When
from django.db.models.functions import Coalesce

from entries.models import Entry, EntryStatus, Request, RequestKind, RequestStatus
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


def buys_something(request: Request, now: datetime) -> bool:
    """Whether paying for an approved request still makes an entry or brings one back.

    A buy-back is for nothing once its entry is not out by that round any more (a correction undid the fall, a ruling
    took the place), or once the round that it would come back for has locked.
    """
    if request.kind == RequestKind.ENTRY:
        return True
    return Entry.objects.filter(
        buy_backs=request,
        status=EntryStatus.ELIMINATED,
        eliminated_round_number=F("buy_backs__round_number"),
        pool__competition__rounds__number=F("buy_backs__resumes_round_number"),
        pool__competition__rounds__locks_at__gt=now,
    ).exists()
