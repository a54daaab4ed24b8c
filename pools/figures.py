"""Figures of results feeds: how old what we know is, and whether games are being played."""

from config import metrics

metrics.counted_when_looked(
    "feed_age_seconds",
    "How long ago the results of a competition were last fetched whole, or found unchanged.",
    ["competition"],
    """
    SELECT c.code, extract(epoch FROM clock_timestamp() - max(
        CASE WHEN s.failures = 0 THEN coalesce(s.last_pulled_at, s.created_at)
             ELSE coalesce(s.last_read_at, s.created_at) END))
    FROM pools_feedsource s JOIN pools_competition c ON c.id = s.competition_id
    WHERE s.is_enabled GROUP BY c.code
    """,
)
metrics.counted_when_looked(
    "games_in_play",
    "Games that begin within the hour, or began in the last eight and have no result: it is game day.",
    ["competition"],
    """
    SELECT c.code, count(*) FROM pools_game g JOIN pools_competition c ON c.id = g.competition_id
    WHERE g.kickoff_at BETWEEN clock_timestamp() - interval '8 hours' AND clock_timestamp() + interval '1 hour'
        AND g.status NOT IN ('final', 'cancelled', 'postponed')
    GROUP BY c.code
    """,
)
metrics.overdue(
    "feed",
    "SELECT count(*) FROM pools_feedsource WHERE is_enabled"
    " AND next_pull_at < clock_timestamp() - interval '5 minutes'",
)
