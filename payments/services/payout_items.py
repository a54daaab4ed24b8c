"""What a provider's payout took along, and whether that is what it came to.

All movements of a payout, its own included, come to nothing. Each of them is known here and in the books; one that is
not is asked about, and what then still differs is put before a person until it agrees.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from config.money import format_amount
from payments.models import DiscrepancyKind, ProviderPayout, Receipt, SourceKind
from payments.providers import provider_named
from payments.providers.base import ListedMovement
from payments.services.charge_state import apply_charge_state
from payments.services.discrepancies import raise_discrepancy, settle_discrepancy
from payments.services.movements import apply_payout_state
from payments.services.provider_state import Source

# What moved more recently than this may not be here yet; the feed brings it within the hour.
GRACE = timedelta(hours=2)
MOST_ASKED = 500
MOST_NAMED = 20

ITEMS = """
    WITH listed AS (
        SELECT * FROM unnest(%(references)s::text[], %(nets)s::bigint[]) AS l (reference, net)
    ), written AS (
        INSERT INTO payments_providerpayoutitem (payout_id, movement_id)
        SELECT %(payout)s, m.id
        FROM listed l JOIN payments_movement m ON (m.provider, m.reference) = (%(provider)s, l.reference)
        WHERE m.currency = %(currency)s AND m.livemode = %(livemode)s
        ORDER BY m.id ON CONFLICT (movement_id) DO NOTHING
    )
    SELECT l.reference,
           CASE WHEN m.id IS NULL THEN 'unknown'
                WHEN m.net_cents <> l.net OR m.currency <> %(currency)s OR m.livemode <> %(livemode)s THEN 'otherwise'
                WHEN i.payout_id <> %(payout)s THEN 'elsewhere' END
    FROM listed l
    LEFT JOIN payments_movement m ON (m.provider, m.reference) = (%(provider)s, l.reference)
    LEFT JOIN payments_providerpayoutitem i ON i.movement_id = m.id
    WHERE m.id IS NULL OR m.net_cents <> l.net OR m.currency <> %(currency)s OR m.livemode <> %(livemode)s
        OR i.payout_id <> %(payout)s
"""


@dataclass(slots=True)
class _Read:
    """What the provider lists of a payout: counted page by page, never held as a whole."""

    count: int = 0
    cents: int = 0
    own_cents: int | None = None
    odd: dict[str, str] = field(default_factory=dict)
    more_odd: int = 0

    def mind(self, reference: str, why: str) -> None:
        """Remember one that is not as it should be; the first of them by name."""
        if len(self.odd) < MOST_NAMED:
            self.odd[reference] = why
        else:
            self.more_odd += 1


def reconcile_payout(*, provider: str, reference: str) -> ProviderPayout:
    """Learn what became of a payout and what it took along, and compare. Twice is as good as once.

    Raises `ProviderError` and `WrongMode`. Of one that was made by hand, or is not worked out yet, nothing is compared.
    """
    apply_payout_state(provider=provider, reference=reference)
    payout = ProviderPayout.objects.get(provider=provider, reference=reference)
    if not (payout.is_automatic and payout.is_itemised):
        return payout
    read = _read_items(payout)
    return _conclude(payout.pk, read)


def _read_items(payout: ProviderPayout) -> _Read:
    """Page by page: known ones become items, unknown ones are asked about, once, and looked for again."""
    adapter, read, asked = provider_named(payout.provider), _Read(), 0
    after: str | None = None
    while True:
        page = adapter.movements_of_payout(payout.reference, after=after)
        rows = [row for row in page.rows if not _is_its_own(row, payout)]
        own = [row.movement.net_cents for row in page.rows if _is_its_own(row, payout)]
        if own:
            read.own_cents = sum(own) + (read.own_cents or 0)
        read.count += len(rows)
        read.cents += sum(row.movement.net_cents for row in rows)
        odd = _write(payout, rows)
        strangers = [row for row in rows if odd.get(row.movement.reference) == "unknown"]
        if strangers and asked < MOST_ASKED:
            asked += len(strangers)
            _ask_about(payout.provider, strangers)
            odd |= dict.fromkeys((row.movement.reference for row in strangers), "") | _write(payout, strangers)
        for row in rows:
            why = odd.get(row.movement.reference, "")
            if why and not (why == "unknown" and row.movement.occurred_at > database_now() - GRACE):
                read.mind(row.movement.reference, why)
        after = page.after
        if after is None:
            return read


def _is_its_own(row: ListedMovement, payout: ProviderPayout) -> bool:
    return row.source_kind == SourceKind.PAYOUT and row.source_id == payout.reference


@transaction.atomic
def _write(payout: ProviderPayout, rows: list[ListedMovement]) -> dict[str, str]:
    """Make items of those that are known here; which are not as they should be, and why."""
    parameters: dict[str, Any] = {
        "payout": payout.pk,
        "provider": payout.provider,
        "currency": payout.currency,
        "livemode": payout.livemode,
        "references": [row.movement.reference for row in rows],
        "nets": [row.movement.net_cents for row in rows],
    }
    with connection.cursor() as cursor:
        cursor.execute(ITEMS, parameters)
        return dict(cursor.fetchall())


def _ask_about(provider: str, rows: list[ListedMovement]) -> None:
    """Have what these were movements of applied, as any other news; what nobody can explain is the feed's."""
    charges = {row.charge_id for row in rows if row.charge_id}
    receipts = Receipt.objects.filter(provider=provider, charge_id__in=charges).values_list("pk", flat=True)
    for receipt_id in receipts:
        apply_charge_state(receipt_id=receipt_id, source=Source.RECONCILE)
    for reference in {row.source_id for row in rows if row.source_kind == SourceKind.PAYOUT}:
        apply_payout_state(provider=provider, reference=reference)


@transaction.atomic
def _conclude(payout_id: int, read: _Read) -> ProviderPayout:
    """Keep what was read, and say what does not agree, or that it does."""
    attribute(reason="its items were compared")
    payout = ProviderPayout.objects.locked().get(pk=payout_id)
    payout.listed_count, payout.listed_cents, payout.items_read_at = read.count, read.cents, ClockTimestamp()
    payout.save(update_fields=["listed_count", "listed_cents", "items_read_at"])
    expected = payout.amount_cents if read.own_cents is None else -read.own_cents
    fault = _fault(payout, read, expected)
    if not fault:
        settle_discrepancy(
            kind=DiscrepancyKind.PAYOUT_SUM_MISMATCH, object_key=payout.key, resolution="It is the sum of its items."
        )
    else:
        raise_discrepancy(
            kind=DiscrepancyKind.PAYOUT_SUM_MISMATCH,
            object_key=payout.key,
            sentence=fault,
            suggestion="Compare its items at the provider with those here; run the deep reconciliation of its days.",
            details={"provider": payout.provider, "livemode": payout.livemode, "movements": read.odd},
            ours={"amount_cents": expected, "items": payout.items.count()},
            theirs={"amount_cents": read.cents, "items": read.count},
            amount_cents=expected - read.cents,
            currency=payout.currency,
        )
    payout.refresh_from_db()
    return payout


def _fault(payout: ProviderPayout, read: _Read, expected: int) -> str:
    """What does not agree, as a sentence."""
    if read.cents != expected:
        return (
            f"Payout {payout.reference} took {format_amount(expected, payout.currency)} from the balance; its"
            f" {read.count} items come to {format_amount(read.cents, payout.currency)}."
        )
    if read.odd:
        named = ", ".join(f"{reference} ({why})" for reference, why in list(read.odd.items())[:3])
        count = len(read.odd) + read.more_odd
        return f"Of payout {payout.reference}, {count} of {read.count} items are not as they are here: {named}."
    return ""
