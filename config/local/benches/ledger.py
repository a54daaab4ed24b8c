"""What the ledger's guards cost whoever posts, and what a trial balance costs whoever asks for one."""

import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import psycopg
from django.db import connection

from config.local.benches.runs import Meaningless, Runs
from config.local.benches.scale import Pair, Scale
from payments.ledger.balances import trial_balance

CLIENTS = 8
TURNS = 5
SECONDS = 2.0
GUARDED = ("payments_journalentry", "payments_posting")

ACCOUNTS = """
    INSERT INTO payments_account (kind, normal_side, currency_id, livemode, provider) VALUES
        ('clearing', 1, 'usd', false, 'stripe'), ('provider_fees', 1, 'usd', false, 'stripe'),
        ('unallocated', -1, 'usd', false, ''), ('tax_withheld', -1, 'usd', false, '')
"""

# One round trip for each entry, so that what is measured is the server's work.
ENTRY = """
    WITH entry AS (
        INSERT INTO payments_journalentry
            (source_type, source_id, event, currency_id, livemode, effective_at, finance_date)
        VALUES ('bench', gen_random_uuid()::text, 'posted', 'usd', false, now(), now()) RETURNING id
    )
    INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)
    SELECT entry.id, a.id, 'usd', false, CASE a.kind WHEN 'clearing' THEN 4825 WHEN 'provider_fees' THEN 175
           WHEN 'unallocated' THEN -4500 ELSE -500 END
    FROM entry, payments_account a ORDER BY a.id
"""

# The clearing account is in every entry, as in life; pots and players are many.
HISTORY = """
    WITH entry AS (
        INSERT INTO payments_journalentry
            (source_type, source_id, event, currency_id, livemode, effective_at, finance_date, posted_at)
        SELECT 'bench', n::text, 'posted', 'usd', false, at, at, at
        FROM (SELECT n, now() - make_interval(secs => (%(entries)s - n) * 30) AS at
              FROM generate_series(1, %(entries)s) n ORDER BY n) past
        RETURNING id
    )
    INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)
    SELECT entry.id, a.id, 'usd', false, l.amount
    FROM entry
    CROSS JOIN LATERAL (VALUES ('clearing', 4825, 0), ('provider_fees', 175, 0), ('unallocated', -500, 0),
                               ('refund_payable', -4500, entry.id %% 5000)) l (kind, amount, player)
    JOIN bench_account a ON (a.kind, a.player) = (l.kind, l.player)
    ORDER BY entry.id, a.id
"""

PLAYERS = """
    WITH player AS (
        INSERT INTO accounts_user
            (email, display_name, password, country, region, role, token_version, is_active, is_superuser, is_staff)
        SELECT 'p' || n || '@bench.invalid', 'Player ' || n, '!', '', '', 'player', 1, true, false, false
        FROM generate_series(1, 5000) n RETURNING id
    )
    INSERT INTO payments_account (kind, normal_side, currency_id, livemode, player_id)
    SELECT 'refund_payable', -1, 'usd', false, id FROM player
"""
NAMES = """
    CREATE TABLE bench_account AS
    SELECT id, kind, CASE WHEN player_id IS NULL THEN 0 ELSE row_number() OVER (PARTITION BY kind ORDER BY id) - 1 END
        AS player FROM payments_account
"""

PLAIN = "SELECT account_id, sum(amount) FROM payments_posting GROUP BY account_id"


def guards(runs: Runs, scale: Scale) -> Pair:
    """Microseconds for an entry of four lines, eight clients at once, with the guards and without, in turns."""
    with runs.databases.empty("ledger"):
        _run(ACCOUNTS)
        found: dict[bool, list[float]] = {True: [], False: []}
        # The first turn of each warms up.
        for turn in range(TURNS + 1):
            for is_guarded in (True, False):
                taken = _microseconds(is_guarded, SECONDS * max(scale.factor, 0.1))
                if turn:
                    found[is_guarded].append(taken)
        _check_guards()
    return Pair(statistics.median(found[True]), statistics.median(found[False]))


def _microseconds(is_guarded: bool, seconds: float) -> float:
    """For one entry, of all clients together."""
    _run(*(f"ALTER TABLE {table} {'ENABLE' if is_guarded else 'DISABLE'} TRIGGER USER" for table in GUARDED))
    _run("CHECKPOINT")
    counts = [0] * CLIENTS
    start = threading.Barrier(CLIENTS + 1)

    def client(number: int) -> None:
        with _session() as session:
            start.wait()
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                session.execute(ENTRY, prepare=True)
                counts[number] += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.monotonic()
    for thread in threads:
        thread.join()
    return 1_000_000 * (time.monotonic() - began) / sum(counts)


@contextmanager
def _session() -> Iterator[psycopg.Connection]:
    """A session of its own in the connected database, committing each statement."""
    asked = connection.get_connection_params()
    known = {name: asked[name] for name in ("dbname", "user", "password", "host", "port") if asked.get(name)}
    with psycopg.connect(**known, autocommit=True) as session:
        yield session


def _check_guards() -> None:
    """Guards that were not there when they were to be measured would look cheap."""
    _run(*(f"ALTER TABLE {table} ENABLE TRIGGER USER" for table in GUARDED))
    with _session() as session:
        try:
            session.execute("DELETE FROM payments_posting")
        except psycopg.IntegrityError:
            return
    raise Meaningless("the guards were not up")


def trial(runs: Runs, scale: Scale) -> Pair:
    """Seconds for the trial balance of a million entries as of now, and for adding up four million lines."""
    return _trial(runs, scale, lambda: None)


def trial_past(runs: Runs, scale: Scale) -> Pair:
    """The same as of an instant three quarters of the way."""
    return _trial(runs, scale, _three_quarters)


def _three_quarters() -> datetime:
    with connection.cursor() as cursor:
        cursor.execute("SELECT min(posted_at) + 0.75 * (max(posted_at) - min(posted_at)) FROM payments_journalentry")
        found: datetime = cursor.fetchone()[0]
    return found


def _trial(runs: Runs, scale: Scale, instant: Callable[[], datetime | None]) -> Pair:
    with runs.databases.empty("books", fill=lambda: _fill(scale(1_000_000, least=1000))):
        as_of = instant()
        ours: list[float] = []
        plain: list[float] = []
        for _ in range(TURNS):
            ours.append(_seconds(lambda: _balanced(as_of)))
            plain.append(_seconds(lambda: _run(PLAIN)))
    return Pair(statistics.median(ours), statistics.median(plain))


def _fill(entries: int) -> None:
    # Past the guards: who builds a million entries does not ask a million times whether they balance.
    _run(
        ACCOUNTS, PLAYERS, NAMES, "SET session_replication_role = replica", "SET synchronous_commit = off",
        HISTORY % {"entries": entries}, "RESET session_replication_role", "RESET synchronous_commit",
        "VACUUM (FREEZE, ANALYZE) payments_posting", "VACUUM (FREEZE, ANALYZE) payments_journalentry",
        "ANALYZE payments_account",
    )  # fmt: skip


def _balanced(as_of: datetime | None) -> None:
    found = trial_balance(as_of=as_of, livemode=False)
    if found.proof != {"usd": 0} or len(found.rows) != 4:
        raise Meaningless(f"the trial balance came to {found.proof}")


def _seconds(do: Callable[[], object]) -> float:
    began = time.monotonic()
    do()
    return time.monotonic() - began


def _run(*statements: str) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)
            if cursor.description:
                cursor.fetchall()
