"""Figures of money: calls to the provider, its news, and a ledger that has to come to nothing."""

from config import metrics

CALL_SECONDS = metrics.histogram(
    "stripe_call_seconds", "How long calls to Stripe took, by what they came to.", ["outcome"],
    (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60),
)  # fmt: skip
UNKNOWN_OUTCOMES = metrics.counter("stripe_unknown_outcomes", "Calls of which nobody knows whether they were obeyed.")
WEBHOOK_LAG = metrics.histogram(
    "webhook_lag_seconds", "From the moment that news came in until it was looked into.", (),
    (0.1, 0.5, 1, 5, 15, 60, 300, 1800, 7200),
)  # fmt: skip
WEBHOOK_DUPLICATES = metrics.counter("webhook_duplicates", "News that had come before.", ["provider"])

for _provider in ("stripe",):
    WEBHOOK_DUPLICATES.labels(_provider)

metrics.counted_when_looked(
    "ledger_imbalance_cents",
    "By how much the last two thousand entries of the journal do not come to nothing: 0.",
    (),
    """
    SELECT coalesce(sum(abs(total)), 0) FROM (
        SELECT sum(p.amount) AS total FROM payments_posting p
        WHERE p.journal_entry_id > (SELECT coalesce(max(id), 0) - 2000 FROM payments_journalentry)
        GROUP BY p.journal_entry_id, p.currency_id
    ) entries
    """,
)
metrics.counted_when_looked(
    "webhooks_dead", "News of a provider that was given up and waits for a person.", (),
    "SELECT count(*) FROM payments_webhookevent WHERE status = 'dead'",
)  # fmt: skip
metrics.overdue(
    "webhook",
    "SELECT count(*) FROM payments_webhookevent WHERE status = 'received'"
    " AND due_at < clock_timestamp() - interval '1 minute'"
    " AND coalesce(leased_until < clock_timestamp(), true)",
)
