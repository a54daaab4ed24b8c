"""Requests and entries: the caller's own; for staff, everybody's. A stranger's are not there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import strawberry
import strawberry_django
from strawberry import auto

from accounts.graphql.me import caller
from config.graphql.batches import as_asked, for_each
from config.graphql.connections import Connection, by_id
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from entries import models
from entries.graphql.picks import Pick, picks_for
from entries.models.entry import EliminationReason
from entries.queries.entries import Used, entries_in_full, next_locks, rules_of_elimination, used_by
from entries.queries.requests import requests_in_full
from entries.queries.visible import visible_entries, visible_requests
from pools.graphql.pools import Pool, pools_for
from pools.services.rules import elimination_sentence

for _choices in (
    models.EntryStatus, EliminationReason, models.RequestStatus, models.RequestKind, models.PaymentStatus,
):  # fmt: skip
    strawberry.enum(_choices, name=_choices.__name__)


def entries_for(info: Asking) -> Any:
    """The entries that are there for the caller, ready to be shown."""
    return entries_in_full(visible_entries(caller(info)))


def requests_for(info: Asking) -> Any:
    """The requests that are there for the caller, ready to be shown."""
    return requests_in_full(visible_requests(caller(info)))


def pool_of(row: Any, info: Asking) -> Any:
    """The pool of an entry or a request, as the caller may see it; None where that is no more than a draft."""

    def pools(rows: Sequence[Any]) -> dict[int, Any]:
        found = by_id(pools_for(info), {each.pool_id for each in rows}, info)
        return {each.pk: found.get(each.pool_id) for each in rows}

    return for_each(row, as_asked("pool", info), pools, info)


@reads("entries:read")
@strawberry.type(description="Why an entry is out.")
class Elimination:
    code: EliminationReason
    sentence: str
    rules_version: int


@reads("entries:read")
@strawberry_django.type(models.Entry, description="A paid place in a pool.")
class Entry:
    id: BigInt
    number: int
    status: models.EntryStatus
    strikes: int
    eliminated_round: int | None = strawberry_django.field(field_name="eliminated_round_number")
    prize_cents: BigInt | None
    suspended: bool = strawberry_django.field(field_name="is_suspended", description="Its payment is disputed.")
    created_at: datetime

    @field("Whose it is.")
    def user(self: Any) -> BigInt:
        return BigInt(self.user_id)

    @field("Where it plays.")
    def pool(self, info: Asking) -> Pool | None:
        found: Pool | None = pool_of(self, info)
        return found

    @field("What it was born of.")
    def request(self, info: Asking) -> "Request | None":
        def requests(entries: Sequence[models.Entry]) -> dict[int, Any]:
            found = by_id(requests_for(info), {entry.request_id for entry in entries}, info)
            return {entry.pk: found.get(entry.request_id) for entry in entries}

        found: Request | None = for_each(self, as_asked("request", info), requests, info)
        return found

    @field("Null while it is in.")
    def eliminated_reason(self: Any) -> Elimination | None:
        rules, number = rules_of_elimination(self), self.eliminated_round_number
        if rules is None or number is None:
            return None
        sentence = elimination_sentence(code=self.eliminated_code, round_number=number, rules=rules)
        return Elimination(code=self.eliminated_code, sentence=sentence, rules_version=rules.version)

    @field("Codes in the order of rounds, each as often as it counts. To others than the owner, only what has locked.")
    def teams_used(self, info: Asking) -> list[str]:
        return _used(self, info).teams

    @field("How many picks it has made, those ahead included.")
    def picks_made(self, info: Asking) -> int:
        return _used(self, info).picks

    @field("When it must have picked next; null when it cannot pick any more.")
    def next_lock_at(self, info: Asking) -> datetime | None:
        return for_each(self, "next_lock", next_locks, info)

    @field("In play order: all picks of an own entry; for staff, those that have locked.", most=25)
    def picks(self, info: Asking) -> list[Pick]:
        viewer_id = caller(info).pk
        return for_each(self, "picks", lambda entries: picks_for(entries, viewer_id), info) or []


def _used(entry: Any, info: Asking) -> Used:
    viewer_id = caller(info).pk
    found = for_each(entry, "used", lambda entries: used_by(entries, viewer_id=viewer_id), info)
    return found or Used([], 0)


@reads("requests:read")
@strawberry_django.type(models.Request, description="A player's wish for one place in a pool, or for the way back in.")
class Request:
    id: BigInt
    kind: models.RequestKind
    number: int
    status: models.RequestStatus
    payment_status: models.PaymentStatus
    fee_cents: BigInt | None
    reason: auto
    pay_by: datetime | None
    created_at: datetime
    decided_at: datetime | None
    fell_in_round: int | None = strawberry_django.field(field_name="round_number")
    resumes_round: int | None = strawberry_django.field(field_name="resumes_round_number")
    waiting_list_position: int | None

    @field("Whose it is.")
    def user(self: Any) -> BigInt:
        return BigInt(self.user_id)

    @field("ISO 4217, lower case; null until there is something to pay.")
    def currency(self: Any) -> str | None:
        return self.currency or None

    @field("Where a place is asked for.")
    def pool(self, info: Asking) -> Pool | None:
        found: Pool | None = pool_of(self, info)
        return found

    @field("The entry that was born of it, or that it brings back; null before.")
    def entry(self, info: Asking) -> Entry | None:
        def entries(requests: Sequence[models.Request]) -> dict[int, Any]:
            found = by_id(entries_for(info), {_entry_id(request) for request in requests} - {None}, info)
            return {request.pk: found.get(_entry_id(request)) for request in requests}

        found: Entry | None = for_each(self, as_asked("entry", info), entries, info)
        return found


def _entry_id(request: models.Request) -> int | None:
    """Of the row itself: `requests_in_full` has joined what was born of it."""
    born = getattr(request, "entry", None)
    return request.bought_entry_id if born is None else born.pk


@reads("entries:read")
@strawberry.type(description="A page of entries.")
class EntryConnection(Connection):
    @field("The newest first.")
    def nodes(self, info: Asking) -> list[Entry]:
        return self.slice.nodes(info)


@reads("requests:read")
@strawberry.type(description="A page of requests.")
class RequestConnection(Connection):
    @field("The newest first.")
    def nodes(self, info: Asking) -> list[Request]:
        return self.slice.nodes(info)
