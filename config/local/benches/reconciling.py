"""What all rules of the reconciliation cost over a big house, against one plain join of the same rows.

A million payments of two months, each with its receipt, its movement and its place; the last three days of them are
staged, as movements and as charges, a hundred thousand rows. A dozen differences are planted and have to be found.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from config.clock import database_now
from config.local.benches.bigpools import USERS, Plan, _league, tidy
from config.local.benches.exports import ROOT, _environment
from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from payments.models import ReconciliationRun, RunKind
from payments.reconciliation.differences import compare

PAYMENTS = 1_000_000
STAGED = 100_000
TURNS = 5
# What a run may take of memory.
MEGABYTES = 150
AMOUNT, FEE = 5000, 175
LATEST = timedelta(minutes=20)

REQUESTS = """
    INSERT INTO entries_request (pool_id, user_id, number, status, payment_status, fee_cents, currency, reason,
                                 waiver_reason, decided_at, created_at)
    SELECT (SELECT min(id) FROM pools_pool), u.id, 1, 'approved', 'completed', %(fee)s, 'usd', '', '', u.at, u.at
    FROM (SELECT id, %(first)s::timestamptz + (row_number() OVER (ORDER BY id) - 1) * %(apart)s::interval AS at
          FROM accounts_user) u ORDER BY u.id
"""
ENTRIES = """
    INSERT INTO entries_entry
        (request_id, pool_id, user_id, number, reference, status, strikes, eliminated_code, first_round_number,
         created_at)
    SELECT id, pool_id, user_id, 1, '', 'active', 0, '', 1, created_at FROM entries_request ORDER BY id
"""
# Payment n is of request n: paid one after the other, the last one twenty minutes ago.
PAID = """
    INSERT INTO payments_payment (ref, request_id, provider, status, amount_cents, currency, livemode,
        provider_reference, client_secret, checkout_url, key_number, failure, created_at, checked_at)
    SELECT ('00000000-0000-4000-8000-' || lpad(q.n::text, 12, '0'))::uuid, q.id, 'stripe', 'succeeded', %(amount)s,
           'usd', false, 'cs_bench_' || q.n, '', '', 1, '', q.at, q.at
    FROM (SELECT id, row_number() OVER (ORDER BY id) AS n,
                 %(first)s::timestamptz + (row_number() OVER (ORDER BY id) - 1) * %(apart)s::interval AS at
          FROM entries_request) q ORDER BY q.n
"""
RECEIPTS = """
    INSERT INTO payments_receipt (payment_id, provider, charge_id, livemode, amount_cents, currency, status, entry_id,
        unapplied_because, source, received_at, created_at, is_fee_known, checked_at)
    SELECT p.id, 'stripe', %(charge)s || row_number() OVER (ORDER BY p.id), false, p.amount_cents, p.currency,
           'allocated', e.id, '', 'webhook', p.created_at, p.created_at, true, p.created_at
    FROM payments_payment p JOIN entries_entry e ON e.request_id = p.request_id ORDER BY p.id
"""
MOVEMENTS = """
    INSERT INTO payments_movement (provider, reference, livemode, kind, category, amount_cents, fee_cents, net_cents,
        currency, receipt_id, occurred_at, available_at, created_at)
    SELECT 'stripe', %(movement)s || row_number() OVER (ORDER BY id), false, 'charge', 'charge', amount_cents, %(fee)s,
           amount_cents - %(fee)s, currency, id, received_at, received_at, received_at
    FROM payments_receipt ORDER BY id
"""
ACCOUNTS = """
    INSERT INTO payments_account (kind, normal_side, currency_id, livemode, provider, pool_id)
    SELECT 'clearing', 1, 'usd', false, 'stripe', NULL::bigint UNION ALL
    SELECT 'provider_fees', 1, 'usd', false, 'stripe', NULL UNION ALL
    SELECT 'unallocated', -1, 'usd', false, '', NULL UNION ALL
    SELECT 'prize_pot', -1, 'usd', false, '', id FROM pools_pool
"""
# Of each receipt: it came, its provider's fee, and that it became a place. The newest %(booked)s are in the journal.
BOOKED = """
    WITH receipt AS (
        SELECT t.*, m.reference, e.pool_id FROM payments_receipt t JOIN payments_movement m ON m.receipt_id = t.id
        JOIN entries_entry e ON e.id = t.entry_id ORDER BY t.id DESC LIMIT %(booked)s
    ), fact AS (
        SELECT 'charge' AS type, 'stripe:' || charge_id AS name, 'received' AS event, received_at,
               'clearing' AS debit, 'unallocated' AS credit, amount_cents::bigint AS cents, pool_id FROM receipt
        UNION ALL
        SELECT 'movement', 'stripe:' || reference, 'fee', received_at, 'provider_fees', 'clearing', %(fee)s, pool_id
        FROM receipt
        UNION ALL
        SELECT 'receipt', id::text, 'allocated', received_at, 'unallocated', 'prize_pot', amount_cents, pool_id
        FROM receipt
    ), entry AS (
        INSERT INTO payments_journalentry
            (source_type, source_id, event, currency_id, livemode, effective_at, finance_date, posted_at)
        SELECT type, name, event, 'usd', false, received_at, (received_at AT TIME ZONE 'UTC')::date, received_at
        FROM fact ORDER BY received_at RETURNING id, source_type, source_id, event
    )
    INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)
    SELECT entry.id, a.id, 'usd', false, l.cents
    FROM entry JOIN fact f ON (f.type, f.name, f.event) = (entry.source_type, entry.source_id, entry.event)
    CROSS JOIN LATERAL (VALUES (f.debit, f.cents), (f.credit, -f.cents)) l (kind, cents)
    JOIN payments_account a ON a.kind = l.kind AND (a.pool_id IS NULL OR a.pool_id = f.pool_id)
    ORDER BY entry.id
"""
STAGE = """
    INSERT INTO payments_stagedmovement (run_id, charge_id, livemode, ref, env, request_id, pool_id, payment_id,
        reference, kind, category, amount_cents, fee_cents, net_cents, currency, occurred_at, available_at, source_kind,
        source_id, source_cents, source_currency)
    SELECT %(run)s, t.charge_id, false, p.ref::text, %(env)s, p.request_id, NULL, p.id, m.reference, m.kind, m.category,
           m.amount_cents, m.fee_cents, m.net_cents, m.currency, m.occurred_at, m.available_at, 'charge', t.charge_id,
           t.amount_cents, t.currency
    FROM payments_movement m JOIN payments_receipt t ON t.id = m.receipt_id JOIN payments_payment p
        ON p.id = t.payment_id
    ORDER BY m.id DESC LIMIT %(half)s
"""
STAGE_CHARGES = """
    INSERT INTO payments_stagedobject (run_id, charge_id, livemode, ref, env, request_id, pool_id, payment_id, kind,
        object_id, status, amount_cents, back_cents, currency, made_at)
    SELECT run_id, charge_id, livemode, ref, env, request_id, pool_id, payment_id, 'charge', charge_id, 'succeeded',
           source_cents, 0, source_currency, occurred_at
    FROM payments_stagedmovement WHERE run_id = %(run)s
"""
# Four of each: another amount, another fee, gone from ours, gone from theirs.
PLANT = (
    "UPDATE payments_stagedobject SET amount_cents = 4900 WHERE right(object_id, 4) = '1111'",
    "UPDATE payments_stagedmovement SET fee_cents = 180, net_cents = 4820 WHERE right(reference, 4) = '2222'",
    "UPDATE payments_stagedmovement SET reference = 'txn_new_' || reference WHERE right(reference, 4) = '3333'",
    "DELETE FROM payments_stagedobject WHERE right(object_id, 4) = '4444'",
)
PLAIN = """
    SELECT count(*) FROM (
        SELECT charge_id, source_cents AS cents, source_currency AS currency FROM payments_stagedmovement
        WHERE run_id = %(run)s UNION ALL
        SELECT object_id, amount_cents, currency FROM payments_stagedobject WHERE run_id = %(run)s) s
    FULL JOIN payments_receipt r ON r.charge_id = s.charge_id
    WHERE (s.cents, s.currency) IS DISTINCT FROM (r.amount_cents, r.currency)
"""


def rules(runs: Runs, scale: Scale) -> Pair:
    """Seconds for all rules and the queue after them, and for one bare FULL JOIN of the same rows."""
    ours, plain, _ = _measured(runs, scale)
    return Pair(statistics.median(ours), statistics.median(plain))


def memory(runs: Runs, scale: Scale) -> Pair:
    """The most that a process of its own held for it, and what it may hold, in megabytes."""
    _, _, peak = _measured(runs, scale)
    return Pair(peak, MEGABYTES)


def _peak_of_a_process(run: ReconciliationRun) -> float:
    done = subprocess.run(
        [sys.executable, "-m", "config.local.benches.comparing", str(run.pk)],
        cwd=ROOT,
        env=_environment(),
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise Meaningless(f"the run in a process of its own: {done.stderr[-500:]}")
    return float(done.stdout.split()[-1])


def fill_ours(
    count: int,
    *,
    first: datetime,
    apart: timedelta,
    charge_prefix: str = "ch_bench_",
    movement_prefix: str = "txn_bench_",
    amount_cents: int = AMOUNT,
    fee_cents: int = FEE,
    booked: int | None = None,
) -> None:
    """So many paid places in the connected, empty database, the n-th by charge and movement n; named from 1.

    All of them are in the journal, or the newest `booked`.
    """
    given: dict[str, Any] = {
        "entries": count,
        "fee": amount_cents,
        "amount": amount_cents,
        "first": first,
        "apart": apart,
        "charge": charge_prefix,
        "movement": movement_prefix,
        "booked": count if booked is None else booked,
    }
    with transaction.atomic():
        _league(Plan("reconciling", count), database_now())
    with connection.cursor() as cursor, transaction.atomic():
        # Who builds a million rows does not ask a million times whether they may be.
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL synchronous_commit = off")
        cursor.execute("SET LOCAL work_mem = '256MB'")
        for statement in (USERS, REQUESTS, ENTRIES, PAID, RECEIPTS):
            cursor.execute(statement, given)
        for statement in (MOVEMENTS, ACCOUNTS, BOOKED):
            cursor.execute(statement, {**given, "fee": fee_cents})
    tidy()


def _measured(runs: Runs, scale: Scale) -> tuple[list[float], list[float], float]:
    payments, staged = scale(PAYMENTS, least=10_000), scale(STAGED, least=1_000)
    now = database_now()
    apart = timedelta(days=60) / payments
    with runs.databases.empty(
        "reconciling",
        fill=lambda: fill_ours(payments, first=now - LATEST - apart * payments, apart=apart, booked=staged),
    ):
        run = _staged(staged // 2)
        ours: list[float] = []
        plain: list[float] = []
        for _ in range(TURNS):
            ours.append(_seconds(lambda: compare(run)))
            plain.append(_seconds(lambda: _execute(PLAIN, {"run": run.pk})))
        _check(run, staged // 2)
        peak = _peak_of_a_process(run)
    return ours, plain, peak


def _staged(half: int) -> ReconciliationRun:
    """A deep run that has read so many movements and charges, with what is planted among them."""
    made = ReconciliationRun.objects.first()
    if made is not None:
        return made
    first = "SELECT min(occurred_at) FROM (SELECT occurred_at FROM payments_movement ORDER BY id DESC LIMIT %s) m"
    with connection.cursor() as cursor:
        cursor.execute(first, [half])
        (since,) = cursor.fetchone()
    run = ReconciliationRun.objects.create(
        kind=RunKind.DEEP, provider="stripe", livemode=False, since=since, until=database_now(), staged=2 * half
    )
    _execute(STAGE, {"run": run.pk, "env": settings.OUTLAST_ENV, "half": half})
    _execute(STAGE_CHARGES, {"run": run.pk})
    for statement in PLANT:
        _execute(statement, {})
    _execute("ANALYZE payments_stagedmovement, payments_stagedobject", {})
    return run


def _check(run: ReconciliationRun, half: int) -> None:
    """Rules that find nothing would be quick."""
    each = half // 10_000
    expected = {
        "amount_mismatch": each, "fee_changed": each, "fee_missing": each, "missing_at_provider": 2 * each,
    }  # fmt: skip
    if each and run.found != expected:
        raise Meaningless(f"the rules found {run.found} instead of {expected}")


def _seconds(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _execute(statement: str, parameters: dict[str, Any]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
