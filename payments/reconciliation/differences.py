"""What differs, put before people: all rules over what a run has read, and the queue as it should be after that.

One transaction: either the queue says what this run has seen, or what the one before did. A doubt is one row for as
long as it is open; seen again it is freshened, and not seen again, by a run that looked where it was, it is closed.
What a person has decided stays decided until one of the two sides changes.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from config import metrics
from config.audit import attribute
from config.clock import database_now
from config.locks import allow_long_statements
from payments.models import DisputeState, ReconciliationRun, RunKind
from payments.reconciliation.dispositions import DISPOSITIONS
from payments.reconciliation.rules import RULES, Of, Rule, meeting
from payments.reconciliation.rules.base import FOUND, GRACE

# Below this, most of nothing may be anybody's.
FOREIGN_FROM = 20
WHOLE_FROM = timedelta(days=30)
# More of a kind at once are a fault of ours, and counted instead of listed: people cannot read them one by one.
LISTED_AT_MOST = 6_000
SORT_MEMORY = "64MB"
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

FOUND_BY_KIND = metrics.counter("reconciliation_found", "What runs found, by kind.", ["kind"])

# A service has put it before a person already, mostly under another name: then it is that row.
TOLD_BEFORE = """
    UPDATE found f SET kind = d.kind, target = NULL FROM payments_discrepancy d
    WHERE f.rule = %(rule)s AND d.object_key = f.object_key AND d.kind IN ({kinds})
        AND (d.status IN ('open', 'acknowledged') OR d.closed_by_id IS NOT NULL)
        AND (d.kind <> f.kind OR d.first_run_id IS NULL)
"""
# One thing found by two rules is one row: that with more to say of it.
ONCE = """
    DELETE FROM found f USING (
        SELECT ctid, row_number() OVER (PARTITION BY kind, object_key ORDER BY target IS NULL, rule) AS place
        FROM found) g
    WHERE g.ctid = f.ctid AND g.place > 1
"""
# What somebody marked as another business's, or has decided about, both sides being as they were.
DECIDED = """
    CREATE TEMP TABLE decided ON COMMIT DROP AS
    SELECT f.kind, f.object_key FROM found f
    WHERE EXISTS (SELECT 1 FROM payments_foreignobject o WHERE o.object_key = f.object_key AND o.status = 'foreign')
    UNION
    SELECT f.kind, f.object_key FROM found f CROSS JOIN LATERAL (
        SELECT d.status, d.closed_by_id, d.ours, d.theirs FROM payments_discrepancy d
        WHERE (d.kind, d.object_key) = (f.kind, f.object_key) ORDER BY d.id DESC LIMIT 1) d
    WHERE d.status IN ('resolved', 'written_off') AND d.closed_by_id IS NOT NULL
        AND ((d.ours, d.theirs) = (f.ours, f.theirs) OR (d.ours, d.theirs) = ('{}', '{}'))
"""
SETTLED = "DELETE FROM found f USING decided d WHERE (d.kind, d.object_key) = (f.kind, f.object_key)"
COUNTED = "SELECT kind, count(*) FROM found GROUP BY kind ORDER BY kind"
# New rows up to a number that people can bear; those that are open are always freshened.
CAPPED = """
    DELETE FROM found f USING (
        SELECT f.ctid, row_number() OVER (PARTITION BY f.kind ORDER BY f.happened_at, f.object_key) AS place
        FROM found f WHERE NOT EXISTS (
            SELECT 1 FROM payments_discrepancy d WHERE (d.kind, d.object_key) = (f.kind, f.object_key)
            AND d.status IN ('open', 'acknowledged'))) g
    WHERE g.ctid = f.ctid AND g.place > %(most)s
"""
# Of a row that a service has raised, its own words stay.
RAISE = """
    INSERT INTO payments_discrepancy AS d (kind, object_key, status, sentence, suggestion, details, ours, theirs,
        amount_cents, currency, due_at, first_run_id, last_run_id, times_seen)
    SELECT f.kind, left(f.object_key, 300), 'open', left(f.sentence, 500), a.advice,
           jsonb_strip_nulls(jsonb_build_object('rule', f.rule, 'target', f.target, 'provider', %(provider)s::text,
               'livemode', %(livemode)s::boolean, 'happened_at', f.happened_at, 'known', f.known)),
           f.ours, f.theirs, f.amount_cents, coalesce(left(f.currency, 3), ''), f.due_at, %(run)s, %(run)s, 1
    FROM found f JOIN unnest(%(kinds)s::text[], %(advice)s::text[]) a (kind, advice) ON a.kind = f.kind
    ORDER BY f.happened_at, f.object_key
    ON CONFLICT (kind, object_key) WHERE status IN ('open', 'acknowledged') DO UPDATE SET
        last_run_id = EXCLUDED.last_run_id, last_seen_at = clock_timestamp(),
        times_seen = d.times_seen + (d.last_run_id IS DISTINCT FROM EXCLUDED.last_run_id)::int,
        sentence = CASE WHEN d.first_run_id IS NULL THEN d.sentence ELSE EXCLUDED.sentence END,
        suggestion = CASE WHEN d.first_run_id IS NULL THEN d.suggestion ELSE EXCLUDED.suggestion END,
        details = EXCLUDED.details || CASE WHEN d.first_run_id IS NULL THEN d.details ELSE '{}' END,
        ours = EXCLUDED.ours, theirs = EXCLUDED.theirs,
        amount_cents = coalesce(EXCLUDED.amount_cents, d.amount_cents),
        currency = coalesce(nullif(EXCLUDED.currency, ''), d.currency), due_at = coalesce(EXCLUDED.due_at, d.due_at)
    RETURNING kind, xmax = 0
"""
# Where this run has looked, and nothing is there any more.
CLOSE = """
    UPDATE payments_discrepancy d SET status = 'resolved', closed_at = clock_timestamp(), resolution = %(resolution)s
    WHERE d.status IN ('open', 'acknowledged') AND d.first_run_id IS NOT NULL AND d.kind = ANY(%(closing)s)
        AND d.details ->> 'rule' = ANY(%(rules)s)
        AND (d.details ->> 'provider', (d.details ->> 'livemode')::boolean) = (%(provider)s, %(livemode)s)
        AND CASE WHEN d.details -> 'happened_at' IS NULL THEN true
            WHEN d.details ->> 'rule' = ANY(%(of_rows)s)
            THEN (%(rows_since)s::timestamptz IS NULL OR (d.details ->> 'happened_at')::timestamptz >= %(rows_since)s)
                AND (%(rows_until)s::timestamptz IS NULL OR (d.details ->> 'happened_at')::timestamptz < %(rows_until)s)
            ELSE (d.details ->> 'happened_at')::timestamptz >= %(since)s
                AND (d.details ->> 'happened_at')::timestamptz < %(until)s END
        AND NOT EXISTS (SELECT 1 FROM seen s WHERE (s.kind, s.object_key) = (d.kind, d.object_key))
        -- A quiet hour does not say whose account it is.
        AND (d.kind <> 'foreign_account' OR %(foreign_from)s <= (
            SELECT count(*) FROM payments_stagedmovement
            WHERE run_id = %(run)s AND source_kind = 'charge' AND kind = 'charge'))
    RETURNING kind
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """How many of each kind differ, were put before people, and were closed."""

    found: Mapping[str, int]
    opened: Mapping[str, int]
    closed: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that does not agree: which rule says so, which row or object it is about, and a sentence."""

    rule: str
    kind: str
    object_key: str
    sentence: str
    happened_at: datetime | None


def compare(run: ReconciliationRun) -> Compared:
    """Apply every rule to what the run has read, and bring the queue up to date. Again, it changes nothing.

    `run.found` is what differs now, `opened` and `closed` what this run has opened and closed so far. Has to be called
    outside of any transaction.
    """
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        allow_long_statements()
        attribute(reason=f"seen by run {run.pk}")
        compared = _compare(cursor, run)
        _note(run, compared)
    for kind, count in compared.found.items():
        FOUND_BY_KIND.labels(kind).inc(count)
    return compared


def rows_that_disagree(*, provider: str, livemode: bool) -> list[Difference]:
    """What our own rows say against each other, with nobody asked and nothing written."""
    run = ReconciliationRun(pk=0, kind=RunKind.DEEP, provider=provider, livemode=livemode)
    with transaction.atomic(), connection.cursor() as cursor:
        allow_long_statements()
        _prepare(cursor)
        given = parameters(run)
        for statement in meeting.ROWS:
            cursor.execute(statement, given)
        _apply(cursor, [rule for rule in RULES if rule.of is Of.ROWS], given)
        cursor.execute("SELECT rule, kind, object_key, sentence, happened_at FROM found ORDER BY rule, object_key")
        found = [Difference(*row) for row in cursor.fetchall()]
        _drop(cursor)
    return found


def rules_of(run: ReconciliationRun) -> list[Rule]:
    """Those that what the run reads is enough for."""
    return [rule for rule in RULES if rule.of is not Of.LISTS or run.kind == RunKind.DEEP]


def looks_everywhere(run: ReconciliationRun) -> bool:
    """Whether our own rows of any time are compared: once a week is enough for what happened long ago."""
    return run.since is None or run.until is None or run.until - run.since >= WHOLE_FROM


def parameters(run: ReconciliationRun) -> dict[str, Any]:
    """What the rules are asked with. Our own rows are those of the window; a run over weeks looks at all of them."""
    is_whole = looks_everywhere(run)
    until = min(filter(None, (run.until, database_now() - GRACE)))
    return {
        "run": run.pk,
        "provider": run.provider,
        "livemode": run.livemode,
        "env": settings.OUTLAST_ENV,
        "since": run.since or BEGINNING,
        "until": until,
        "grace": GRACE,
        "rows_since": None if is_whole else run.since,
        "rows_until": None if is_whole else run.until,
        "disputes": [status for status in DisputeState.values if status != DisputeState.UNKNOWN],
        "foreign_from": FOREIGN_FROM,
    }


def _compare(cursor: Any, run: ReconciliationRun) -> Compared:
    given = _find(cursor, run)
    cursor.execute(COUNTED)
    found = dict(cursor.fetchall())
    cursor.execute(CAPPED, {"most": LISTED_AT_MOST})
    kinds = {str(kind): one for kind, one in DISPOSITIONS.items()}
    told = {"kinds": list(kinds), "advice": [one.advice for one in kinds.values()]}
    cursor.execute(RAISE, {**given, **told})
    opened = Counter(kind for kind, is_new in cursor.fetchall() if is_new)
    names = [rule.name for rule in rules_of(run)]
    of_rows = [rule.name for rule in rules_of(run) if rule.of is Of.ROWS]
    cursor.execute(
        CLOSE,
        {
            **given,
            "resolution": f"Run {run.pk} looked, and it is not so any more.",
            "closing": [kind for kind, one in kinds.items() if one.closes_itself],
            "rules": names,
            "of_rows": of_rows,
        },
    )
    closed = Counter(kind for (kind,) in cursor.fetchall())
    _drop(cursor)
    return Compared(found, opened, closed)


def _find(cursor: Any, run: ReconciliationRun) -> dict[str, Any]:
    """Fill `found` with what nobody has decided about yet, and `seen` with all of it; what they were asked with."""
    given = parameters(run)
    _prepare(cursor)
    for statement in (*meeting.MOVEMENTS, *(meeting.LISTS if run.kind == RunKind.DEEP else ()), *meeting.ROWS):
        cursor.execute(statement, given)
    cursor.execute(f"ANALYZE {', '.join(_tables(run))}")
    _apply(cursor, rules_of(run), given)
    return given


def _prepare(cursor: Any) -> None:
    cursor.execute("SELECT set_config('work_mem', %s, true)", [SORT_MEMORY])
    cursor.execute(FOUND)


def _apply(cursor: Any, rules: Iterable[Rule], given: Mapping[str, Any]) -> None:
    for rule in rules:
        cursor.execute(rule.sql, given)
        if rule.told_as != "''":
            cursor.execute(TOLD_BEFORE.format(kinds=rule.told_as), {"rule": rule.name})
    cursor.execute("ANALYZE found")
    cursor.execute(ONCE)
    cursor.execute("CREATE TEMP TABLE seen ON COMMIT DROP AS SELECT kind, object_key FROM found")
    cursor.execute(DECIDED)
    cursor.execute(SETTLED)


def _tables(run: ReconciliationRun) -> tuple[str, ...]:
    return (*meeting.COUNTED, *(meeting.COUNTED_OF_LISTS if run.kind == RunKind.DEEP else ()))


def _drop(cursor: Any) -> None:
    """The tables go with the transaction; where that is a test's, they must not meet those of the next call."""
    names = ("found", "seen", "decided", *meeting.COUNTED, *meeting.COUNTED_OF_LISTS)
    cursor.execute(f"DROP TABLE IF EXISTS {', '.join(f'pg_temp.{name}' for name in names)}")


def _note(run: ReconciliationRun, compared: Compared) -> None:
    run.found = dict(compared.found)
    run.opened = dict(Counter(run.opened) + Counter(compared.opened))
    run.closed = dict(Counter(run.closed) + Counter(compared.closed))
    run.save(update_fields=["found", "opened", "closed"])
