"""Who takes part in the story, and the steps that each of them takes."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from accounts.models import User
from entries.models import Entry, Request
from payments.models import Receipt, Refund
from pools.models import Pool
from tests.factories.entries import RequestFactory, pick
from tests.reports.calendar import Calendar
from tests.reports.till import Till


@dataclass
class Story:
    """Who and what there is once all has been told."""

    calendar: Calendar
    till: Till = field(default_factory=Till)
    people: dict[str, User] = field(default_factory=dict)
    pools: dict[str, Pool] = field(default_factory=dict)
    requests: dict[str, Request] = field(default_factory=dict)
    receipts: dict[str, Receipt] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    payouts: dict[str, Any] = field(default_factory=dict)

    @property
    def fiona(self) -> User:
        """Asks, records, prepares."""
        return self.people["fiona"]

    @property
    def frank(self) -> User:
        """The second name."""
        return self.people["frank"]

    def entry(self, name: str) -> Entry:
        """The entry of the request of this name, as it now is."""
        return Entry.objects.get(request=self.requests[name])

    def asks(self, name: str, pool: str, *, number: int = 1) -> Request:
        """Somebody's approved request; its name is the player's, and a number from the second place on."""
        player = self.people[name.rstrip("0123456789")]
        self.requests[name] = RequestFactory(approved=True, pool=self.pools[pool], user=player, number=number)
        return self.requests[name]

    def buys(self, name: str, pool: str, at: datetime, *, number: int = 1, **how: Any) -> Receipt:
        """The same, paid at once on the provider's page."""
        payment = self.till.opens(self.asks(name, pool, number=number), name)
        self.receipts[name] = self.till.is_paid(payment, at, **how)
        return self.receipts[name]

    def picks(self, name: str, codes: tuple[str, str]) -> None:
        for number, code in enumerate(codes, start=1):
            pick(self.entry(name), number, code)
