"""What a settlement tells live, pool by pool: one event for each kind and round, with counts and some of the entries.

However many fall, it is a handful of rows; who wants all of them reads the round's report.
"""

from django.db.backends.utils import CursorWrapper

from accounts.models.webhook_feeds import posting
from accounts.models.webhook_types import EventType

# How many entries an event names.
NAMED = 100

FATES = f"""
    INSERT INTO pools_poolevent (pool_id, kind, data)
    SELECT pool_id, kind, jsonb_build_object(
               'settlement', %(settlement)s::bigint, 'round', round, 'count', sum(count),
               'reasons', coalesce(jsonb_object_agg(code, count) FILTER (WHERE code <> ''), '{{}}'),
               'alive', (SELECT coalesce(sum(entries), 0) FROM entries_entrytally t
                         WHERE t.pool_id = told.pool_id AND t.status = 'active'),
               'entries', jsonb_path_query_array(jsonb_path_query_array(jsonb_agg(ids), '$[*][*]'),
                                                 '$[0 to {NAMED - 1}]'))
    FROM (
        SELECT pool_id, kind, round, code, count(*) AS count, to_jsonb((array_agg(id))[1:{NAMED}]) AS ids
        FROM settling_change
        CROSS JOIN LATERAL (SELECT
            CASE WHEN status = 'eliminated' AND from_status <> 'eliminated' THEN 'entries.eliminated'
                 WHEN from_status = 'eliminated' AND status <> 'eliminated' THEN 'entries.revived'
                 WHEN status = from_status THEN 'entries.changed' END AS kind,
            CASE WHEN status = 'eliminated' THEN eliminated_round_number
                 WHEN from_status = 'eliminated' THEN from_round END AS round,
            CASE WHEN status = 'eliminated' AND from_status <> 'eliminated' THEN eliminated_code ELSE '' END AS code
        ) said
        WHERE kind IS NOT NULL
        GROUP BY pool_id, kind, round, code
    ) told
    GROUP BY pool_id, kind, round ORDER BY pool_id, kind = 'entries.changed', round NULLS LAST, kind
"""

# Prizes, the largest first. Who won before and does so still is no news, unless the prize is another one.
WINNERS = f"""
    INSERT INTO pools_poolevent (pool_id, kind, data)
    SELECT c.pool_id, kind, jsonb_build_object(
               'settlement', %(settlement)s::bigint, 'count', count(*), 'currency', p.currency,
               'entries', to_jsonb((array_agg(
                   jsonb_build_object('entry', c.id, 'prize_cents', c.prize_cents)
                   ORDER BY c.prize_cents DESC NULLS LAST, c.id))[1:{NAMED}]))
    FROM settling_change c
    JOIN pools_pool p ON p.id = c.pool_id
    CROSS JOIN LATERAL (SELECT CASE
        WHEN c.status = 'winner' THEN 'winners.declared'
        WHEN c.from_status = 'winner' THEN 'winners.withdrawn' END AS kind) said
    WHERE kind IS NOT NULL
    GROUP BY c.pool_id, p.currency, kind ORDER BY c.pool_id, kind DESC
"""


# By what a round was settled on: settled again on the same, it is not told again.
SETTLED_ROUNDS = f"""
    SELECT '{EventType.ROUND_SETTLED}' AS type, NULL::bigint AS user_id, s.pool_id,
           format('round-settled-%s-%s-%s', s.pool_id, s.number, s.fingerprint) AS key,
           jsonb_build_object('pool', s.pool_id, 'round', s.number) AS data
    FROM settling_round s JOIN settling_pool p USING (pool_id)
    WHERE s.chained AND s.number >= p.from_round AND (p.ended IS NULL OR s.number <= p.ended)
"""


def tell_settled_rounds(cursor: CursorWrapper) -> None:
    """Tell subscribers which rounds are over, all of their games decided, by the facts at hand."""
    cursor.execute(posting(SETTLED_ROUNDS, person=False))


def tell_fates(cursor: CursorWrapper, *, settlement_id: int) -> None:
    """Tell who fell, who is back and who won, from `settling_change`, once that is written."""
    for statement in (FATES, WINNERS):
        cursor.execute(statement, {"settlement": settlement_id})
