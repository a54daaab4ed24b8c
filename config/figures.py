"""The kernel's own figures: tasks, retries of callers, limits, what PostgreSQL refused, and who waits there."""

from config import metrics

TASKS = metrics.counter("task_attempts", "Tasks that were run, by how it ended.", ["task", "outcome"])
TASKS_AGAIN = metrics.counter("task_repeats", "Those of them that had been tried before.", ["task"])
TASK_SECONDS = metrics.histogram(
    "task_seconds", "How long tasks ran.", ["task"], (0.01, 0.05, 0.1, 0.5, 1, 5, 15, 30, 60, 90, 120)
)
IDEMPOTENCY = metrics.counter("idempotency", "Keys that had been used: replay, conflict or mismatch.", ["outcome"])
LIMITER = metrics.counter("limiter_mode", "Calls that were counted, by who counted: redis, pg, or open.", ["mode"])
DATABASE_REFUSALS = metrics.counter("db_refusals", "Statements that PostgreSQL gave up, by the reason.", ["because"])
SLOW = metrics.counter("slow_statements", "Statements slower than SLOW_STATEMENT_MS.", ["fingerprint"])

# By SQLSTATE. Whatever is not here is a fault of the statement or of its values, and told elsewhere.
REFUSALS = {
    "55P03": "lock_timeout",
    "57014": "statement_timeout",
    "40P01": "deadlock",
    "40001": "serialization",
    "25P03": "idle_in_transaction",
    "53300": "too_many_connections",
    "57P01": "shut_down",
    "57P03": "starting",
}
# A statement that is new each time would make series without end.
MOST_FINGERPRINTS = 200
_fingerprints: set[str] = set()

for _outcome in ("replay", "conflict", "mismatch"):
    IDEMPOTENCY.labels(_outcome)
for _mode in ("redis", "pg", "open"):
    LIMITER.labels(_mode)
for _because in sorted(set(REFUSALS.values()) | {"away"}):
    DATABASE_REFUSALS.labels(_because)

metrics.counted_when_looked(
    "db_lock_waiting",
    "Sessions of ours that wait for a lock.",
    (),
    """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'outlast-%' AND wait_event_type = 'Lock'
    """,
)
metrics.counted_when_looked(
    "db_lock_wait_seconds",
    "How long the statement that has waited longest for a lock has been running.",
    (),
    """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - query_start)), 0) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'outlast-%' AND wait_event_type = 'Lock'
    """,
)
metrics.counted_when_looked(
    "db_transaction_oldest_seconds",
    "Age of the oldest transaction: it holds locks, and keeps dead rows.",
    (),
    """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0) FROM pg_stat_activity
    WHERE datname = current_database() AND application_name LIKE 'outlast-%'
    """,
)
metrics.counted_when_looked(
    "db_connections",
    "Sessions at the server, by state; `max` is how many it allows.",
    ("state",),
    """
    SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' GROUP BY 1
    UNION ALL SELECT 'max', current_setting('max_connections')::integer
    """,
)


def task_done(task: str, state: str, seconds: float, *, is_again: bool) -> None:
    """A task ended, in one of Celery's states."""
    TASKS.labels(task, state.lower()).inc()
    TASK_SECONDS.labels(task).observe(seconds)
    if is_again:
        TASKS_AGAIN.labels(task).inc()


def database_refused(sqlstate: str | None) -> None:
    """PostgreSQL gave a statement up, or was not there: no SQLSTATE."""
    because = REFUSALS.get(sqlstate, "") if sqlstate else "away"
    if because:
        DATABASE_REFUSALS.labels(because).inc()


def statement_was_slow(fingerprint: str) -> None:
    """Counted by itself, or with all others once there are many kinds."""
    if fingerprint not in _fingerprints and len(_fingerprints) >= MOST_FINGERPRINTS:
        fingerprint = "other"
    _fingerprints.add(fingerprint)
    SLOW.labels(fingerprint).inc()
