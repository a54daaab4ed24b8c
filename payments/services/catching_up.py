"""Booking what is not in the journal: what was here before the ledger, what imports bring, and what a fault left out.

Every service books in its own transaction. What comes as a set is booked as a set: one statement for each kind of event
and batch, in the lines that `payments.ledger.rules` would have. Doing it again changes nothing.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction

from config import outbox
from config.clock import database_now
from config.locks import advisory_lock, allow_long_statements
from entries.services.imports.land import WAIVER_REASON
from payments.ledger.bulk import post_set
from payments.models import DiscrepancyKind
from payments.services.booking import livemode
from payments.services.discrepancies import raise_discrepancy

BATCH = 20_000
# A service that is still at work books within moments.
LATE = timedelta(minutes=15)

HOUSE_PART = """
    CROSS JOIN LATERAL (SELECT house_fee_bp FROM pools_rules WHERE pool_id = q.pool_id ORDER BY version DESC LIMIT 1) h
"""

# Money that arrived.
RECEIVED = """
    SELECT t.id AS row_id, 'charge' AS source_type, t.provider || ':' || t.charge_id AS source_id, 'received' AS event,
           t.currency, t.livemode, t.received_at AS effective_at, l.place, l.kind, NULL::bigint AS pool_id,
           NULL::bigint AS player_id, l.provider, l.amount
    FROM (SELECT t.*, q.pool_id FROM payments_receipt t
          JOIN payments_payment p ON p.id = t.payment_id JOIN entries_request q ON q.id = p.request_id
          WHERE {which} AND NOT EXISTS (
              SELECT 1 FROM payments_journalentry j
              WHERE (j.source_type, j.source_id, j.event) = ('charge', t.provider || ':' || t.charge_id, 'received'))
          ORDER BY t.id LIMIT %(batch)s) t
    CROSS JOIN LATERAL (VALUES (1, 'clearing', t.provider, t.amount_cents::bigint),
                               (2, 'unallocated', '', -t.amount_cents::bigint)) l (place, kind, provider, amount)
"""

# Money that became the price of a place. Held until the commit, so that nobody takes the place back meanwhile.
ALLOCATED = f"""
    SELECT t.id AS row_id, 'receipt' AS source_type, t.id::text AS source_id, 'allocated' AS event, t.currency,
           t.livemode, t.created_at AS effective_at, l.place, l.kind, l.pool_id, NULL::bigint AS player_id,
           '' AS provider, l.amount
    FROM (SELECT t.*, q.pool_id FROM payments_receipt t
          JOIN payments_payment p ON p.id = t.payment_id JOIN entries_request q ON q.id = p.request_id
          WHERE {{which}} AND t.status = 'allocated' AND NOT EXISTS (
              SELECT 1 FROM payments_journalentry j
              WHERE (j.source_type, j.source_id, j.event) = ('receipt', t.id::text, 'allocated'))
          ORDER BY t.id LIMIT %(batch)s FOR SHARE OF t SKIP LOCKED) q
    {HOUSE_PART}
    CROSS JOIN LATERAL (SELECT q.*, q.amount_cents::bigint * h.house_fee_bp / 10000 AS house) t
    CROSS JOIN LATERAL (VALUES (1, 'unallocated', NULL::bigint, t.amount_cents::bigint),
                               (2, 'prize_pot', t.pool_id, t.house - t.amount_cents),
                               (3, 'fee_revenue', t.pool_id, -t.house)) l (place, kind, pool_id, amount)
"""

# Money that went back before refunds had rows of their own.
RETURNED = """
    SELECT t.id AS row_id, 'receipt' AS source_type, t.id::text AS source_id, 'returned' AS event, t.currency,
           t.livemode, t.returned_at AS effective_at, l.place, l.kind, NULL::bigint AS pool_id,
           NULL::bigint AS player_id, l.provider, l.amount
    FROM (SELECT t.*, q.pool_id, coalesce(
                     (SELECT max(c.at) FROM payments_receiptchange c
                      WHERE c.subject_id = t.id AND c.to_status = 'returned'), t.created_at) AS returned_at
          FROM payments_receipt t
          JOIN payments_payment p ON p.id = t.payment_id JOIN entries_request q ON q.id = p.request_id
          WHERE {which} AND t.status = 'returned'
            AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.receipt_id = t.id)
            AND NOT EXISTS (
              SELECT 1 FROM payments_journalentry j
              WHERE (j.source_type, j.source_id, j.event) = ('receipt', t.id::text, 'returned'))
          ORDER BY t.id LIMIT %(batch)s FOR SHARE OF t SKIP LOCKED) t
    CROSS JOIN LATERAL (VALUES (1, 'unallocated', '', t.amount_cents::bigint),
                               (2, 'clearing', t.provider, -t.amount_cents::bigint)) l (place, kind, provider, amount)
"""

# Places that nobody paid for here: the house, or what was collected elsewhere, stands in for the pot's part.
WAIVED = f"""
    SELECT q.id AS row_id, 'request' AS source_type, q.id::text AS source_id, 'waived' AS event, q.currency,
           %(livemode)s::boolean AS livemode, coalesce(q.decided_at, q.created_at) AS effective_at, l.place, l.kind,
           q.pool_id, NULL::bigint AS player_id, '' AS provider, l.amount
    FROM (SELECT q.* FROM entries_request q
          WHERE {{which}} AND q.payment_status = 'completed' AND q.waived_by_id IS NOT NULL AND q.fee_cents > 0
            AND NOT EXISTS (
              SELECT 1 FROM payments_journalentry j
              WHERE (j.source_type, j.source_id, j.event) = ('request', q.id::text, 'waived'))
          ORDER BY q.id LIMIT %(batch)s FOR SHARE OF q SKIP LOCKED) q
    {HOUSE_PART}
    CROSS JOIN LATERAL (SELECT q.fee_cents::bigint - q.fee_cents::bigint * h.house_fee_bp / 10000 AS cents) pot
    CROSS JOIN LATERAL (VALUES
        (1, CASE q.waiver_reason WHEN %(import)s THEN 'opening_equity' ELSE 'waived_fees' END, pot.cents),
        (2, 'prize_pot', -pot.cents)) l (place, kind, amount)
"""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of event that can be missing; `of` is the table whose ids go from batch to batch."""

    name: str
    lines: str
    of: str

    def sql(self, pool_id: int | None) -> str:
        """The query of the lines that are missing, of one pool or of all."""
        which = f"{self.of}.id > %(after)s"
        return self.lines.format(which=which if pool_id is None else f"{which} AND q.pool_id = %(pool)s")


# In the order in which money goes: it must be there before it is spent.
KINDS = (
    Kind("received", RECEIVED, "t"),
    Kind("allocated", ALLOCATED, "t"),
    Kind("returned", RETURNED, "t"),
    Kind("waived", WAIVED, "q"),
)


def catch_up(*, pool_id: int | None = None, watchful: bool = False) -> dict[str, int]:
    """Book whatever is not in the journal, of one pool or of all; how many of each kind were booked.

    In transactions of a batch each, or within the caller's. Two at once take turns. With `watchful`, what happened
    longer ago than any service takes is put before a person as well: it is booked now, and somebody should know why it
    was not.
    """
    return {kind.name: _catch_up(kind, pool_id, watchful) for kind in KINDS}


def _catch_up(kind: Kind, pool_id: int | None, watchful: bool) -> int:
    booked, late = 0, 0
    parameters: dict[str, Any] = {
        "after": 0, "pool": pool_id, "batch": BATCH, "livemode": livemode(), "import": WAIVER_REASON,
    }  # fmt: skip
    while True:
        with transaction.atomic():
            advisory_lock("catch up the books")
            allow_long_statements()
            posted = post_set(kind.sql(pool_id), parameters)
        booked += posted.entries
        if posted.earliest is not None and posted.earliest < database_now() - LATE:
            late += posted.entries
        if posted.drafts < BATCH:
            break
        parameters["after"] = posted.last_row
    if watchful and late:
        _tell(kind, late)
    return booked


def _tell(kind: Kind, late: int) -> None:
    raise_discrepancy(
        kind=DiscrepancyKind.NOT_BOOKED,
        object_key=f"books:{kind.name}",
        sentence=f'{late} events of the kind "{kind.name}" were not in the journal; they have been booked just now.',
        suggestion="Nothing has to be booked by hand. After an upgrade this is normal, once; else tell the developers.",
        details={"kind": kind.name, "booked": late},
    )


@outbox.handler("entries.imported")
def book_imported(payload: dict[str, Any]) -> None:
    """The entries that moved here were paid elsewhere: the pot has their fees."""
    catch_up(pool_id=payload["pool"])
