"""What is asked about pools in full, requests and entries."""

from typing import Any

import strawberry

from config.graphql.connections import FIRST, After, First, Slice, one_of
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from entries import models
from entries.graphql.places import (
    Entry,
    EntryConnection,
    Request,
    RequestConnection,
    entries_for,
    requests_for,
)
from entries.graphql.standings import PoolInFull
from pools.graphql.pools import pools_for


def _slice(name: str, rows: Any, given: dict[str, Any], info: Asking, first: int, after: str | None) -> Slice:
    """The rows for which everything that was given holds."""
    asked = {key: value for key, value in given.items() if value is not None}
    of = [name, *sorted((key, str(value)) for key, value in asked.items())]
    return Slice(rows.filter(**asked), of=of, info=info, first=first, after=after)


@strawberry.type
class EntryQuery:
    """Pools are public; requests and entries are the caller's own, and for staff everybody's."""

    @field("One pool with all that is played in it. NOT_FOUND where there is none for the caller.", cost=20)
    def pool(self, info: Asking, id: BigInt) -> PoolInFull | None:
        found: PoolInFull = one_of(pools_for(info).filter(pk=id), info)
        return found

    @field("The caller's entries; for staff, everybody's. `user` is for staff.", cost=10)
    def entries(
        self,
        info: Asking,
        status: models.EntryStatus | None = None,
        pool: BigInt | None = None,
        user: BigInt | None = None,
        first: First = FIRST,
        after: After = None,
    ) -> EntryConnection | None:
        given = {"status": status, "pool": pool, "user": user}
        return EntryConnection(slice=_slice("entries", entries_for(info), given, info, first, after))

    @field("One entry. NOT_FOUND where there is none for the caller.", cost=10)
    def entry(self, info: Asking, id: BigInt) -> Entry | None:
        found: Entry = one_of(entries_for(info).filter(pk=id), info)
        return found

    @field("The caller's requests; for staff, everybody's. `user` is for staff.", cost=10)
    def requests(
        self,
        info: Asking,
        kind: models.RequestKind | None = None,
        status: models.RequestStatus | None = None,
        payment_status: models.PaymentStatus | None = None,
        pool: BigInt | None = None,
        user: BigInt | None = None,
        first: First = FIRST,
        after: After = None,
    ) -> RequestConnection | None:
        given = {"kind": kind, "status": status, "payment_status": payment_status, "pool": pool, "user": user}
        return RequestConnection(slice=_slice("requests", requests_for(info), given, info, first, after))

    @field("One request. NOT_FOUND where there is none for the caller.", cost=10)
    def request(self, info: Asking, id: BigInt) -> Request | None:
        found: Request = one_of(requests_for(info).filter(pk=id), info)
        return found
