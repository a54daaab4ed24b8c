"""Which requests the workbench is about: one of three lists, of one pool or of all, oldest first."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlencode

from config.row_numbers import row_number
from entries.models import Request, RequestStatus
from entries.models.request import RequestQuerySet
from entries.services.bulk_decisions import MOST_REQUESTS
from entries.services.places import OWING
from pools.models import Pool

PAGE = 30
MOST_POOLS = 200


class Lane(StrEnum):
    """Where a request waits for somebody."""

    UNDECIDED = "undecided"
    WAITING = "waiting"
    UNPAID = "unpaid"


@dataclass(frozen=True)
class Queue:
    """As its address says. What of that is nonsense is left out."""

    lane: Lane = Lane.UNDECIDED
    pool_id: int | None = None
    after: int = 0

    @classmethod
    def of(cls, said: Mapping[str, str]) -> "Queue":
        """From what a browser sent."""
        lane = said.get("lane", "")
        return cls(
            lane=Lane(lane) if lane in list(Lane) else Lane.UNDECIDED,
            pool_id=row_number(said.get("pool")),
            after=row_number(said.get("after")) or 0,
        )

    def requests(self) -> RequestQuerySet:
        """All of them, oldest first."""
        found = {
            Lane.UNDECIDED: Request.objects.filter(status=RequestStatus.PENDING, waitlisted_at__isnull=True),
            Lane.WAITING: Request.objects.waiting_list(),
            Lane.UNPAID: Request.objects.filter(status=RequestStatus.APPROVED, payment_status__in=OWING),
        }[self.lane]
        if self.pool_id is not None:
            found = found.filter(pool=self.pool_id)
        return found.order_by("pk")

    def page(self) -> tuple[list[Request], bool]:
        """The rows of this page, and whether more come after them."""
        rows = self.requests().filter(pk__gt=self.after).select_related("pool__competition", "user")[: PAGE + 1]
        return list(rows[:PAGE]), len(rows) > PAGE

    def ids(self, *, until: int) -> list[int]:
        """Of all of them that were there when the page was looked at, and one more than can be decided at once."""
        return list(self.requests().filter(pk__lte=until).values_list("pk", flat=True)[: MOST_REQUESTS + 1])

    def count(self) -> int:
        """How many there are, as far as anybody wants to know."""
        return self.requests()[: MOST_REQUESTS + 1].count()

    def pools(self) -> list[Pool]:
        """To choose from."""
        return list(Pool.objects.in_play().order_by("name", "pk")[:MOST_POOLS])

    def query(self, **changed: object) -> str:
        """Its address, or that of another one."""
        said = {"lane": self.lane.value, "pool": self.pool_id, "after": self.after or None, **changed}
        return urlencode({name: value for name, value in said.items() if value is not None})
