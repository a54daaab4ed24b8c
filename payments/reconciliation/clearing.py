"""The tie-out of all tie-outs: what a provider says that we have with it is what our books say.

What moved there in the last moments may not be booked yet. So movements that nobody here knows are counted in, and a
difference is believed only when it is still there at the third look: money that moves while we look makes one too.
"""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction

from config.clock import database_now
from payments.models import FeedCursor, Movement, SourceKind
from payments.providers import provider_named, provider_names
from payments.providers.base import Balance, ListedMovement
from payments.providers.faults import ProviderError
from payments.providers.port import PaymentProvider
from payments.reconciliation.tie_out import TieOut
from payments.services.movements import WrongMode

logger = logging.getLogger(__name__)

NAME = "clearing"
SENTENCE = "What the provider has of ours is what the books say, with what is not booked yet."
# Before what the feed has read: it looks as far back again.
OVERLAP = timedelta(hours=2)
WITHOUT_FEED = timedelta(hours=72)
LOOKS, PAUSE_SECONDS = 3, 2.0
MOST_UNBOOKED = 10_000

# Their money is booked by who learns of the thing itself, their movement with the fee.
BOOKED_APART = (SourceKind.CHARGE, SourceKind.REFUND, SourceKind.TRANSFER)

# Of what is not written down yet, the main leg may be in the books all the same: by who learned of the thing itself.
BOTH_SIDES = """
    WITH listed AS (
        SELECT * FROM unnest(%(references)s::text[], %(kinds)s::text[], %(sources)s::text[], %(charges)s::text[],
                             %(nets)s::bigint[], %(currencies)s::text[])
            AS l (reference, kind, source, charge, net, currency)
        WHERE NOT EXISTS (
            SELECT 1 FROM payments_movement m WHERE (m.provider, m.reference) = (%(provider)s, l.reference))
    ), ledger AS (
        SELECT a.currency_id AS currency, sum(l.amount)::bigint AS cents
        FROM payments_account a JOIN payments_posting l ON l.account_id = a.id
        WHERE (a.kind, a.provider, a.livemode) = ('clearing', %(provider)s, %(livemode)s) GROUP BY a.currency_id
    ), unbooked AS (
        SELECT currency, net AS cents FROM listed
        UNION ALL
        SELECT t.currency, -t.amount_cents FROM listed l
        JOIN payments_receipt t ON (t.provider, t.charge_id) = (%(provider)s, l.charge) WHERE l.kind = 'charge'
        UNION ALL
        SELECT r.currency, r.amount_cents FROM listed l
        JOIN payments_refund r ON (r.provider, r.provider_reference) = (%(provider)s, l.source)
        WHERE l.kind = 'refund' AND r.is_paid AND l.net < 0
        UNION ALL
        SELECT o.currency, o.amount_cents - o.withheld_cents FROM listed l
        JOIN payments_payout o ON (o.provider, o.provider_reference) = (%(provider)s, l.source)
        WHERE l.kind = 'transfer' AND o.status = 'paid' AND l.net < 0
    ), waiting AS (
        SELECT currency, sum(cents)::bigint AS cents FROM unbooked GROUP BY currency
    )
    SELECT currency, coalesce(l.cents, 0), coalesce(w.cents, 0), (SELECT count(*) FROM listed)
    FROM ledger l FULL JOIN waiting w USING (currency)
"""


@dataclass(frozen=True, slots=True)
class _Look:
    """One look at both sides: currency → what is booked, what is not booked yet, and what the provider has."""

    booked: dict[str, int]
    unbooked: dict[str, int]
    theirs: dict[str, int]
    waiting: int

    @property
    def agrees(self) -> bool:
        return all(self.ours(currency) == self.theirs.get(currency, 0) for currency in self.currencies)

    @property
    def currencies(self) -> list[str]:
        return sorted({*self.booked, *self.unbooked, *self.theirs})

    def ours(self, currency: str) -> int:
        return self.booked.get(currency, 0) + self.unbooked.get(currency, 0)


def clearing_tie_outs() -> list[TieOut]:
    """Of every provider that keeps money for us, one for each currency."""
    return [row for name in provider_names() for row in _of(provider_named(name))]


def _of(adapter: PaymentProvider) -> list[TieOut]:
    try:
        look = _until_it_agrees(adapter)
    except (ProviderError, WrongMode) as error:
        logger.warning("%s could not be asked for its balance: %s", adapter.name, error)
        return [
            _row(adapter, currency, ours, None, f"{adapter.name} could not be asked: {error}"[:300])
            for currency, ours in sorted(_sides(adapter, []).booked.items())
        ]
    if look is None:
        return []
    named = f"movements not booked yet: {look.waiting}" if look.waiting else ""
    return [
        _row(adapter, currency, look.ours(currency), look.theirs.get(currency, 0), named)
        for currency in look.currencies
    ]


def _until_it_agrees(adapter: PaymentProvider) -> _Look | None:
    """None of a provider that keeps nothing for us."""
    look = None
    for number in range(LOOKS):
        if number:
            time.sleep(PAUSE_SECONDS)
        balance = adapter.balance()
        if not balance.cents:
            return None
        look = _look(adapter, balance)
        if look.agrees:
            break
    return look


def _look(adapter: PaymentProvider, balance: Balance) -> _Look:
    if balance.livemode != adapter.livemode:
        raise WrongMode("The balance")
    found = _sides(adapter, list(_strangers(adapter)))
    return _Look(found.booked, found.unbooked, dict(balance.cents), found.waiting)


def _strangers(adapter: PaymentProvider) -> Iterator[ListedMovement]:
    """Movements since the feed was last read that are not written down here; no more than can be a delay."""
    cursor, now = FeedCursor.objects.filter(provider=adapter.name).first(), database_now()
    since: datetime = now - WITHOUT_FEED if cursor is None else min(cursor.through, now) - OVERLAP
    after: str | None = None
    count = 0
    while count < MOST_UNBOOKED:
        page = adapter.movements_page(since=since, until=now + timedelta(minutes=1), after=after)
        references = [row.movement.reference for row in page.rows]
        known = set(
            Movement.objects.filter(provider=adapter.name, reference__in=references).values_list("reference", flat=True)
        )
        for row in page.rows:
            if row.movement.reference not in known:
                count += 1
                yield row
        after = page.after
        if after is None:
            return


def _sides(adapter: PaymentProvider, rows: list[ListedMovement]) -> _Look:
    """What is booked, and what is not, in one look at the database."""
    parameters: dict[str, Any] = {
        "provider": adapter.name,
        "livemode": adapter.livemode,
        "references": [row.movement.reference for row in rows],
        "kinds": [_kind(row) for row in rows],
        "sources": [row.source_id for row in rows],
        "charges": [row.charge_id for row in rows],
        "nets": [row.movement.net_cents for row in rows],
        "currencies": [row.movement.currency for row in rows],
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(BOTH_SIDES, parameters)
        found = cursor.fetchall()
    return _Look(
        booked={currency: cents for currency, cents, _, _ in found},
        unbooked={currency: cents for currency, _, cents, _ in found},
        theirs={},
        waiting=found[0][3] if found else 0,
    )


def _kind(row: ListedMovement) -> str:
    """Whose main leg it is: a charge's own movement, not a refund's or dispute's of the charge."""
    return str(row.source_kind) if row.source_kind in BOOKED_APART else ""


def _row(adapter: PaymentProvider, currency: str, ours: int, theirs: int | None, named: str) -> TieOut:
    return TieOut(
        name=NAME,
        sentence=SENTENCE,
        currency=currency,
        livemode=adapter.livemode,
        provider=adapter.name,
        ours=ours,
        theirs=theirs,
        agrees=None if theirs is None else ours == theirs,
        differences=(named,) if named else (),
    )
