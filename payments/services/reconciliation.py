"""Does the money agree? What is under way is asked about, then payments, receipts, refunds and entries are compared.

The provider's sessions of the time are gone through as well: what it knows and we do not is brought back, and told.
What became of charges (a refund from its dashboard, a dispute) is learned by `charge_state`; here it shows as long as
nobody has said what it means.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.db import connection

from config.clock import database_now
from payments.providers import online_provider
from payments.providers.base import ProviderError
from payments.reports.base import GONE, Narrowing
from payments.services.adoption import adopt_window
from payments.services.provider_state import Source
from payments.services.refunds.sending import sweep_refunds
from payments.services.sweep import sweep_payments

# Money that came a moment ago may still be on its way to its entry or its mail.
GRACE_MINUTES = 15
# How far back sessions are gone through unless a day is given.
LATELY = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree: which kind, which row, and a sentence."""

    kind: str
    subject: str
    sentence: str


# Each query yields a subject and a sentence. `since` and `until` bound the instant in which the row came to be.
RULES = {
    "succeeded_without_receipt": """
        SELECT 'payment ' || p.id, 'succeeded, but no receipt was booked'
        FROM payments_payment p
        WHERE p.status = 'succeeded' AND {window} AND NOT EXISTS (
            SELECT 1 FROM payments_receipt t WHERE t.payment_id = p.id)
    """,
    "receipt_without_success": """
        SELECT 'receipt ' || t.id, 'is of payment ' || p.id || ', which is ' || p.status
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        WHERE p.status <> 'succeeded' AND {window}
    """,
    "amount_mismatch": """
        SELECT 'receipt ' || t.id, t.amount_cents || ' ' || t.currency || ' came, ' || p.amount_cents || ' '
            || p.currency || ' was asked for, and it counts as paid'
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        WHERE t.status = 'allocated' AND (t.amount_cents, t.currency) <> (p.amount_cents, p.currency) AND {window}
    """,
    "livemode_mismatch": """
        SELECT 'receipt ' || t.id, 'has livemode ' || t.livemode || ', its payment ' || p.livemode
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        WHERE t.livemode <> p.livemode AND {window}
    """,
    "paid_void_entry": """
        SELECT 'receipt ' || t.id, 'pays entry ' || e.id || ', which is void'
        FROM payments_receipt t JOIN entries_entry e ON e.id = t.entry_id JOIN payments_payment p ON p.id = t.payment_id
        WHERE t.status = 'allocated' AND e.status = 'void' AND {window}
            -- Who is disqualified does not get the fee back.
            AND NOT EXISTS (SELECT 1 FROM entries_ruling d
                            WHERE d.entry_id = e.id AND d.kind = 'disqualify' AND d.status = 'confirmed')
    """,
    "money_without_place": """
        SELECT 'receipt ' || t.id, t.amount_cents || ' ' || t.currency || ' wait unapplied: ' || t.unapplied_because
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        WHERE t.status = 'unapplied' AND {window}
            AND t.created_at < clock_timestamp() - make_interval(mins => %(grace)s)
    """,
    "refund_not_sent": """
        SELECT 'refund ' || p.id, p.amount_cents || ' ' || p.currency || ' have been ' || p.status || ' since '
            || to_char(coalesce(p.decided_at, p.created_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI') || ' UTC'
        FROM payments_refund p
        WHERE p.status IN ('sending', 'unknown') AND {window}
            AND coalesce(p.decided_at, p.created_at) < clock_timestamp() - make_interval(mins => %(grace)s)
    """,
    "refund_failed": """
        SELECT 'refund ' || p.id, p.amount_cents || ' ' || p.currency || ' are owed to the player: ' || p.failure
        FROM payments_refund p
        WHERE p.status = 'failed' AND p.taken_from <> 'undecided' AND {window}
            AND NOT EXISTS (SELECT 1 FROM payments_refund r WHERE r.replaces_id = p.id AND r.status <> 'cancelled')
            AND NOT EXISTS (SELECT 1 FROM payments_journalentry j WHERE (j.source_type, j.source_id, j.event)
                            = ('refund', p.ref::text, 'withdrawn'))
    """,
    "external_refund": """
        SELECT 'refund ' || p.id, p.amount_cents || ' ' || p.currency || ' went back past us; nobody has said whose'
        FROM payments_refund p
        WHERE p.taken_from = 'undecided' AND p.status <> 'failed' AND {window}
    """,
    "returning_without_refund": """
        SELECT 'receipt ' || t.id, 'is said to go back, and no refund of it is under way or owed'
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        WHERE t.status = 'returning' AND {window} AND NOT EXISTS (
            SELECT 1 FROM payments_refund f WHERE f.receipt_id = t.id
            AND f.status IN ('requested', 'sending', 'unknown', 'pending', 'failed'))
    """,
    "more_back_than_came": """
        SELECT 'receipt ' || t.id, t.amount_cents || ' ' || t.currency || ' came, ' || gone.amount || ' went back'
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        JOIN LATERAL (SELECT sum(f.amount_cents) AS amount FROM payments_refund f
                      WHERE f.receipt_id = t.id AND {gone}) gone ON true
        WHERE gone.amount > t.amount_cents AND {window}
    """,
    "refunded_but_counted": """
        SELECT 'receipt ' || t.id, 'still counts as paid, and the place of request ' || q.id || ' was taken back'
        FROM payments_receipt t JOIN payments_payment p ON p.id = t.payment_id
        JOIN entries_request q ON q.id = p.request_id
        WHERE t.status = 'allocated' AND q.payment_status = 'refunded' AND {window}
    """,
    "entry_without_money": """
        SELECT 'entry ' || p.id, 'has neither a receipt nor a waiver'
        FROM entries_entry p JOIN entries_request q ON q.id = p.request_id
        WHERE p.status <> 'void' AND q.fee_cents > 0 AND q.waived_by_id IS NULL AND {window} AND NOT EXISTS (
            SELECT 1 FROM payments_receipt t JOIN payments_payment m ON m.id = t.payment_id
            WHERE m.request_id = q.id AND t.entry_id = p.id AND t.status = 'allocated')
    """,
    "request_without_entry": """
        SELECT 'request ' || p.id, 'counts as paid, but has no entry'
        FROM entries_request p
        WHERE p.payment_status = 'completed' AND p.kind = 'entry' AND {window} AND NOT EXISTS (
            SELECT 1 FROM entries_entry e WHERE e.request_id = p.id)
    """,
    "buy_back_without_return": """
        SELECT 'request ' || p.id, 'counts as paid, but entry ' || p.bought_entry_id || ' was not brought back'
        FROM entries_request p
        WHERE p.payment_status = 'completed' AND p.kind = 'buy_back' AND {window} AND NOT EXISTS (
            SELECT 1 FROM entries_reprieve v WHERE v.request_id = p.id)
    """,
    "return_without_money": """
        SELECT 'request ' || p.id, 'brought entry ' || v.entry_id || ' back, and has neither a receipt nor a waiver'
        FROM entries_reprieve v JOIN entries_request p ON p.id = v.request_id
        WHERE v.revoked_at IS NULL AND p.fee_cents > 0 AND p.waived_by_id IS NULL
            AND p.payment_status = 'completed' AND {window} AND NOT EXISTS (
            SELECT 1 FROM payments_receipt t JOIN payments_payment m ON m.id = t.payment_id
            WHERE m.request_id = p.id AND t.entry_id = v.entry_id AND t.status = 'allocated')
    """,
}
WINDOW = """(%(since)s::timestamptz IS NULL OR p.created_at >= %(since)s::timestamptz)
    AND (%(until)s::timestamptz IS NULL OR p.created_at < %(until)s::timestamptz)"""


def reconcile(*, narrowing: Narrowing, seconds: float = 3600.0) -> list[Difference]:
    """Ask about all payments and refunds under way, then apply every rule; what does not agree, in order."""
    swept = sweep_payments(seconds=seconds, patience=timedelta(), source=Source.RECONCILE)
    refunds = sweep_refunds(seconds=seconds, patience=timedelta())
    unknown = [
        Difference("not_answered", f"payment {payment_id}", f"the provider could not be asked: {why}")
        for payment_id, why in sorted(swept.failed.items())
    ]
    unknown += [
        Difference("not_answered", f"refund {refund_id}", f"the provider could not be asked: {why}")
        for refund_id, why in sorted(refunds.failed.items())
    ]
    if swept.gave_up:
        unknown.append(Difference("not_answered", "further payments", "were not asked about: the provider is away"))
    else:
        unknown += _adopt(narrowing)
    return [*unknown, *_compare(narrowing)]


def _adopt(narrowing: Narrowing) -> list[Difference]:
    """What was missing here, and what became of it; without a first day, what was opened lately."""
    provider, now = online_provider(), database_now()
    since, until = narrowing.bounds()
    window = {"since": since or now - LATELY, "until": until or now}
    try:
        adopted = list(adopt_window(provider=provider.name, **window, source=Source.RECONCILE))
    except ProviderError as error:
        return [Difference("not_answered", "sessions", f"the provider could not be asked for its sessions: {error}")]
    return [Difference("missing_locally", f"payment {one.ref}", one.sentence) for one in adopted]


def _compare(narrowing: Narrowing) -> list[Difference]:
    found = []
    parameters = {**narrowing.parameters(), "grace": GRACE_MINUTES}
    with connection.cursor() as cursor:
        for kind, rule in RULES.items():
            cursor.execute(f"{rule.format(window=WINDOW, gone=GONE.format('f'))} ORDER BY p.id", parameters)
            found += [Difference(kind, subject, sentence) for subject, sentence in cursor.fetchall()]
    return found
