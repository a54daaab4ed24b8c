"""Which paid returns turned out to be for nothing: a correction undid the fall that they were bought after.

The entry lives either way, so settlement changes nothing; the fee is a person's to give back. What the rounds up to the
fall cost is graded here once more, as if the entry had not bought back in.
"""

from collections.abc import Collection

from django.db import connection

from entries.queries.grades import ASKED_SQL, SHOWN_RESULT_SQL

NEEDLESS = f"""
    WITH asked AS (
        SELECT id, pool_id, bought_entry_id, round_number FROM entries_request
        WHERE kind = 'buy_back' AND payment_status = 'completed'
          AND (%(requests)s::bigint[] IS NULL OR id = ANY(%(requests)s))
    ), graded AS (
        SELECT q.id, r.number, rules.strikes, bool_or(pick.result = 'missed' AND rules.miss_is_fatal) AS is_fatal,
               bool_or(pick.result IN ('lost', 'missed') OR pick.result = 'tied' AND rules.tie = 'loss') AS is_loss
        FROM asked q
        JOIN entries_entry e ON e.id = q.bought_entry_id
        JOIN pools_pool p ON p.id = q.pool_id
        JOIN pools_round r ON r.competition_id = p.competition_id
            AND r.number BETWEEN e.first_round_number AND q.round_number
        CROSS JOIN LATERAL (
            SELECT *, missed_pick IN ('eliminate', 'favourite')
                      OR missed_pick = 'fallback' AND missed_pick_then <> 'strike' AS miss_is_fatal
            FROM pools_rules WHERE pool_id = p.id AND effective_round_number <= r.number ORDER BY version DESC LIMIT 1
        ) rules
        CROSS JOIN LATERAL generate_series(1, {ASKED_SQL}) AS slots (slot)
        LEFT JOIN entries_pick k ON k.entry_id = e.id AND k.round_id = r.id AND k.slot = slots.slot
        LEFT JOIN pools_game g ON g.id = k.game_id
        CROSS JOIN LATERAL (SELECT {SHOWN_RESULT_SQL} AS result) pick
        WHERE NOT EXISTS (
            SELECT 1 FROM entries_reprieve v
            WHERE v.entry_id = e.id AND v.revoked_at IS NULL AND v.request_id IS DISTINCT FROM q.id
              AND r.number >= v.from_round_number AND r.number < v.before_round_number)
          AND NOT EXISTS (
            SELECT 1 FROM entries_settledround d WHERE (d.pool_id, d.round_number) = (p.id, r.number) AND d.is_revived)
        GROUP BY q.id, r.number, rules.strikes
    )
    SELECT q.id
    FROM asked q
    JOIN entries_entry e ON e.id = q.bought_entry_id
    JOIN pools_pool p ON p.id = q.pool_id
    CROSS JOIN LATERAL (
        SELECT late_entry_strikes FROM pools_rules
        WHERE pool_id = p.id AND effective_round_number <= e.first_round_number ORDER BY version DESC LIMIT 1
    ) joined
    WHERE e.status <> 'void' AND (
        -- It fell earlier than in the round that it paid for.
        e.eliminated_round_number < q.round_number
        OR NOT EXISTS (
            SELECT 1 FROM graded f
            WHERE (f.id, f.number) = (q.id, q.round_number) AND f.is_loss AND (f.is_fatal OR f.strikes <= (
                CASE WHEN joined.late_entry_strikes THEN e.first_round_number - p.first_round_number ELSE 0 END
                + (SELECT count(*) FROM graded o WHERE o.id = q.id AND o.number < q.round_number AND o.is_loss)))))
"""


def needless_returns(request_ids: Collection[int] | None = None) -> set[int]:
    """Ids of paid buy-backs without which the entry would not be out of that round; of these requests, or of all."""
    with connection.cursor() as cursor:
        cursor.execute(NEEDLESS, {"requests": None if request_ids is None else list(request_ids)})
        return {request_id for (request_id,) in cursor.fetchall()}
