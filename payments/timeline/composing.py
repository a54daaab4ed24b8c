"""All lines of a place in one order."""

from collections.abc import Iterator
from dataclasses import dataclass
from operator import attrgetter

from django.db.models import Q

from accounts.models import User
from config.errors import Code, NotFound
from entries.models import Entry, Request, RequestKind
from payments.timeline.lines import Line
from payments.timeline.mails import mail_lines
from payments.timeline.money import Money
from payments.timeline.place import entry_lines, pick_lines, request_lines, ruling_lines, secret_rounds


@dataclass(frozen=True)
class Timeline:
    """Of one place. `names` are those of everybody who acted; `secret` the rounds whose picks nobody may see yet."""

    request: Request
    entry: Entry | None
    lines: list[Line]
    names: dict[int, str]
    secret: list[int]
    has_money: bool


def timeline_of(*, request_id: int, with_money: bool) -> Timeline:
    """The story of the place that the request is for; of a buy-back that of the entry that comes back by it.

    Without money for who may not see it. In a number of queries that does not depend on how much has happened. Refuses
    with NOT_FOUND.
    """
    requests, entry = _place(request_id)
    own = next(request for request in requests if request.kind == RequestKind.ENTRY)
    money = Money(requests, entry) if with_money else None
    lines = sorted(_lines(requests, entry, money), key=attrgetter("at"))
    actors = {line.actor_id for line in lines if line.actor_id is not None}
    return Timeline(
        request=own,
        entry=entry,
        lines=lines,
        names={user.pk: str(user) for user in User.objects.filter(pk__in=actors)},
        secret=[] if entry is None else secret_rounds(entry),
        has_money=with_money,
    )


def _place(request_id: int) -> tuple[list[Request], Entry | None]:
    """The place's own request and those that bought its entry back in, oldest first, with the entry.

    One after the other: asked for all at once, PostgreSQL joins every request with every entry.
    """
    bought = Request.objects.filter(pk=request_id).values_list("bought_entry_id", flat=True).first()
    entries = Entry.objects.select_related("pool__competition", "user", "request")
    entry = entries.filter(Q(request_id=request_id) | Q(pk=bought)).first()
    wanted = Q(pk=request_id) if entry is None else Q(pk=entry.request_id) | Q(bought_entry=entry)
    requests = list(Request.objects.filter(wanted).select_related("pool__competition", "user").order_by("pk"))
    if not requests:
        raise NotFound(Code.NOT_FOUND, "There is no such request.")
    return requests, entry


def _lines(requests: list[Request], entry: Entry | None, money: Money | None) -> Iterator[Line]:
    yield from request_lines(requests)
    if entry is not None:
        yield from entry_lines(entry)
        yield from pick_lines(entry)
        yield from ruling_lines(entry)
    if money is not None:
        yield from money.lines()
    yield from mail_lines(requests, entry, money)
