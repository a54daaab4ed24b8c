"""Figures of picks and places: what came of asking, how fast, and what must never be.

The two that must be zero are asked of the rows themselves, whatever the code believes: a pick of a player's that was
decided after its lock, and places beyond a pool's capacity. Both look at what is recent, so that a scrape costs little;
the guards of the database refuse them in the first place.
"""

from config import metrics

PICKS = metrics.counter("picks", "Picks asked for, by what came of it.", ["result"])
PICK_SECONDS = metrics.histogram(
    "pick_edge_to_decision_seconds",
    "From a request's arrival to the decision about its pick.",
    (),
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.35, 0.5, 1, 2, 5),
)
REFUSED_LATE = metrics.counter("picks_refused_after_deadline", "Picks that came too late.")

RESULTS = ("saved", "unchanged", "deleted", "late", "refused")
# Looked up once: this is the way that thousands take in the last minute.
_picks = {result: PICKS.labels(result) for result in RESULTS}

# Of the last changes of picks, by the guard's own rules (`entries.models.pick_guards`). The history is written a moment
# after the decision, so a tenth of a second is let pass.
LATE_ACCEPTED = """
    SELECT count(*) FROM (
        SELECT c.entry_id, c.round_id, c.to_team_id, c.at
        FROM entries_pickchange c JOIN pools_round r ON r.id = c.round_id
        WHERE c.id > (SELECT coalesce(max(id), 0) - 20000 FROM entries_pickchange)
            AND c.source = 'player' AND c.ruling_id IS NULL AND c.to_team_id IS NOT NULL
            AND c.at > r.locks_at + interval '0.1 seconds'
        OFFSET 0
    ) late
    JOIN entries_entry e ON e.id = late.entry_id
    JOIN pools_round r ON r.id = late.round_id
    CROSS JOIN LATERAL (
        SELECT lock FROM pools_rules WHERE pool_id = e.pool_id AND effective_round_number <= r.number
        ORDER BY version DESC LIMIT 1
    ) rules
    WHERE rules.lock <> 'game' OR late.at > interval '0.1 seconds' + (
        SELECT min(g.locks_at) FROM pools_game g
        WHERE g.round_id = r.id AND late.to_team_id IN (g.home_id, g.away_id)
    )
"""

metrics.counted_when_looked(
    "late_accepted", "Picks of players, among the last changes, that were decided after their lock: 0.", (),
    LATE_ACCEPTED,
)  # fmt: skip
metrics.counted_when_looked(
    "pool_oversold",
    "Places held beyond the capacity of pools that still take players: 0.",
    (),
    """
    SELECT coalesce(sum(greatest(held - capacity, 0)), 0) FROM (
        SELECT p.capacity, (SELECT count(*) FROM entries_request q WHERE q.pool_id = p.id AND q.status = 'approved'
            AND q.kind = 'entry' AND q.payment_status <> 'refunded') AS held
        FROM pools_pool p WHERE p.capacity IS NOT NULL AND p.status = 'open'
    ) pools
    """,
)
metrics.counted_when_looked(
    "next_lock_seconds",
    "In how many seconds the next round locks that somebody plays; none: nothing ahead.",
    (),
    """
    SELECT extract(epoch FROM min(r.locks_at) - clock_timestamp()) FROM pools_round r
    WHERE r.locks_at > clock_timestamp() AND EXISTS (
        SELECT 1 FROM pools_pool p WHERE p.competition_id = r.competition_id AND p.status IN ('open', 'running')
            AND r.number BETWEEN p.first_round_number AND p.last_round_number)
    HAVING min(r.locks_at) IS NOT NULL
    """,
)
metrics.overdue(
    "reveal",
    "SELECT count(*) FROM pools_round WHERE revealed_at IS NULL AND locks_at < clock_timestamp() - interval '1 minute'",
)
metrics.overdue(
    "unpaid request",
    "SELECT count(*) FROM entries_request WHERE status = 'approved' AND payment_status IN ('pending', 'failed')"
    " AND pay_by < clock_timestamp() - interval '5 minutes'",
)


def pick_decided(result: str, seconds: float | None) -> None:
    """Somebody asked for a pick: saved, unchanged, deleted, late or refused; `seconds` since the request arrived."""
    _picks[result].inc()
    if result == "late":
        REFUSED_LATE.inc()
    if seconds is not None:
        PICK_SECONDS.observe(seconds)
