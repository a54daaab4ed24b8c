"""Figures of the reconciliation that the database knows, whichever process is asked for them."""

from config import metrics

metrics.counted_when_looked(
    "reconciliation_behind_seconds",
    "How long ago it is up to which the feed has been dealt with.",
    ["provider"],
    "SELECT provider, extract(epoch FROM clock_timestamp() - through) FROM payments_feedcursor ORDER BY provider",
)
metrics.counted_when_looked(
    "discrepancies_open",
    "Discrepancies that nobody has settled.",
    ["kind"],
    "SELECT kind, count(*) FROM payments_discrepancy WHERE status IN ('open', 'acknowledged') GROUP BY 1 ORDER BY 1",
)
