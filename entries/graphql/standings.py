"""A pool in full: its rounds, who stands where, how picks were spread, and the caller's own places in it."""

from typing import Annotated, Any

import strawberry
import strawberry_django

from accounts.graphql.me import caller
from config.errors import invalid
from config.graphql.connections import FIRST, After, First, PageInfo, Slice, looked_up
from config.graphql.context import Asking
from config.graphql.fields import field
from config.graphql.scalars import BigInt
from config.graphql.scoping import reads
from config.graphql.texts import read_text
from entries.graphql.places import Entry, Request, entries_for, requests_for
from entries.models.entry import EntryStatus
from entries.queries import standings
from entries.queries.grades import PickResult
from entries.queries.rounds import distribution, revealed_round
from pools.graphql.pools import Pool
from pools.graphql.rounds import PoolRound, round_for, rounds_for
from pools.models import Pool as PoolRow

LONGEST_SEARCH = 60
BEST_FIRST = ("standing", "id")
RoundNumber = Annotated[int, strawberry.argument(description="Of a round that the pool plays.")]


@reads("pools:read")
@strawberry.type(description="A revealed pick.")
class StandingPick:
    round: int
    team: str
    result: PickResult


@reads("pools:read")
@strawberry.type(description="One entry's place; equals share a rank.")
class Standing:
    found: strawberry.Private[standings.Standing]
    rank: int
    entry: BigInt
    display_name: str
    number: int
    status: EntryStatus
    strikes: int
    eliminated_round: int | None
    rounds_survived: int

    @field("Those that are revealed, in play order.", most=25)
    def picks(self) -> list[StandingPick]:
        return [StandingPick(**pick._asdict()) for pick in self.found.picks]


@reads("pools:read")
@strawberry.type(description="A page of standings.")
class StandingConnection:
    pool: strawberry.Private[standings.Standings]
    slice: strawberry.Private[Slice]
    status: strawberry.Private[str | None]
    is_search: strawberry.Private[bool]

    @field("Winners first, then who is still in, then the others by how far they came.")
    def nodes(self, info: Asking) -> list[Standing]:
        return [_shown(found) for found in self.pool.of(self.slice.nodes(info))]

    @field("Where this page ends.")
    def page_info(self, info: Asking) -> PageInfo:
        return self.slice.page_info(info)

    @field("How many there are in all.")
    def total(self, info: Asking) -> int:
        return self.slice.total(info) if self.is_search else self.pool.total(self.status)


def _shown(found: standings.Standing) -> Standing:
    status: Any = found.status
    return Standing(
        found=found,
        rank=found.rank,
        entry=BigInt(found.entry),
        display_name=found.display_name,
        number=found.number,
        status=status,
        strikes=found.strikes,
        eliminated_round=found.eliminated_round,
        rounds_survived=found.rounds_survived,
    )


@reads("pools:read")
@strawberry.type(description="One team's part of the picks of a round.")
class Spread:
    team: str
    picks: int
    share: float = strawberry.field(description="Of all picks of the round, from 0 to 1.")
    result: PickResult


@reads("pools:read")
@strawberry_django.type(PoolRow, description="A pool with all that is played in it.")
class PoolInFull(Pool):
    @field("Those that it plays, in play order.", most=25, cost=20)
    def rounds(self: Any, info: Asking) -> list[PoolRound]:
        return rounds_for(self, info)

    @field("One of them. NOT_FOUND where it plays none of the number.", cost=20)
    def round(self: Any, info: Asking, number: RoundNumber) -> PoolRound | None:
        return round_for(self, number, info)

    @field("Who stands where, by status, by a part of the display name; ranks are those among all.", cost=50)
    def standings(
        self: Any,
        info: Asking,
        status: EntryStatus | None = None,
        search: str | None = None,
        first: First = FIRST,
        after: After = None,
    ) -> StandingConnection | None:
        if status == EntryStatus.VOID:
            raise invalid("status", "Void places have no rank.")
        read_text(search, "search", longest=LONGEST_SEARCH)
        info.context.check_time()
        found = standings.Standings(self)
        rows = found.entries(status)
        if search:
            rows = rows.filter(user__display_name__icontains=search)
        of = ["standings", self.pk, status and str(status), search]
        page = Slice(rows, of=of, info=info, first=first, after=after, ordering=BEST_FIRST)
        return StandingConnection(pool=found, slice=page, status=status, is_search=bool(search))

    @field(
        "How a round's picks were spread, the most picked team first. FORBIDDEN until it has locked.",
        most=40,
        cost=50,
    )
    def distribution(self: Any, info: Asking, round: RoundNumber) -> list[Spread] | None:
        info.context.check_time()
        found = distribution(self, revealed_round(self, round))
        return [Spread(**spread._asdict()) for spread in found]

    @field("The caller's own, by number.", most=10, cost=10)
    def my_entries(self: Any, info: Asking) -> list[Entry] | None:
        found: list[Entry] = _own(self, entries_for(info), info)
        return found

    @field("The caller's own, by number.", most=10, cost=10)
    def my_requests(self: Any, info: Asking) -> list[Request] | None:
        found: list[Request] = _own(self, requests_for(info), info)
        return found


def _own(pool: PoolRow, rows: Any, info: Asking) -> Any:
    """Of what the caller may see in the pool, what is their own."""
    return looked_up(rows.filter(pool=pool, user=caller(info)).order_by("number", "id"), info)
