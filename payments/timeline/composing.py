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
    requests = _requests(request_id)
    own = next(request for request in requests if request.kind == RequestKind.ENTRY)
    entry = Entry.objects.filter(request=own).select_related("pool__competition", "user", "request").first()
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


def _requests(request_id: int) -> list[Request]:
    """The place's own request, and those that bought its entry back in, oldest first."""
    asked = Request.objects.filter(pk=request_id)
    entries = Entry.objects.filter(Q(request__in=asked) | Q(buy_backs__in=asked))
    wanted = Q(pk=request_id) | Q(entry__in=entries) | Q(bought_entry__in=entries)
    found = Request.objects.filter(wanted).select_related("pool__competition", "user").order_by("pk").distinct()
    if not found:
        raise NotFound(Code.NOT_FOUND, "There is no such request.")
    return list(found)


def _lines(requests: list[Request], entry: Entry | None, money: Money | None) -> Iterator[Line]:
    yield from request_lines(requests)
    if entry is not None:
        yield from entry_lines(entry)
        yield from pick_lines(entry)
        yield from ruling_lines(entry)
    if money is not None:
        yield from money.lines()
    yield from mail_lines(requests, entry, money)
