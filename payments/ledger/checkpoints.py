"""Checkpoints: what each account had come to up to a line, so that reading it adds up only what came since.

They are nothing but a short cut: a sum with checkpoints is the sum without them, always. That needs one promise: once
an account is summed up to a line, no line with a smaller id is committed any more. Ids are drawn when a line is
written, so a moment without writers proves it for all ids drawn by then.
"""

from django.db import connection, transaction

from config.locks import TablesBusy, advisory_lock, allow_long_statements, keep_writers_out

# Who posts meanwhile waits as long at most; where it does not suffice, the next run tries again.
PATIENCE = "2s"

ADD = """
    WITH seen AS (
        SELECT coalesce(max(through_posting_id), 0) AS id FROM payments_checkpoint
    ), fresh AS (
        SELECT account_id, max(id) AS through, sum(amount) AS balance, count(*) FILTER (WHERE amount < 0) AS credits,
               count(*) FILTER (WHERE amount > 0) AS debits
        FROM payments_posting WHERE id > (SELECT id FROM seen) AND id <= %(bound)s GROUP BY account_id
    )
    INSERT INTO payments_checkpoint (account_id, through_posting_id, balance, credits, debits)
    SELECT f.account_id, f.through, f.balance + coalesce(c.balance, 0), f.credits + coalesce(c.credits, 0),
           f.debits + coalesce(c.debits, 0)
    FROM fresh f
    LEFT JOIN LATERAL (
        SELECT balance, credits, debits FROM payments_checkpoint
        WHERE account_id = f.account_id ORDER BY through_posting_id DESC LIMIT 1
    ) c ON true
"""


def make_checkpoints() -> int | None:
    """Sum up what came since the last time; how many accounts. None where a writer was at work all the time.

    Two at once take turns. Refuses to be called in a transaction, which would keep all writers waiting to its end.
    """
    bound = _bound()
    if bound is None:
        return None
    with transaction.atomic(durable=True), connection.cursor() as cursor:
        allow_long_statements()
        advisory_lock("ledger checkpoints")
        cursor.execute(ADD, {"bound": bound})
        return int(cursor.rowcount)


def _bound() -> int | None:
    """A line up to which all that will ever be there is there, and committed."""
    try:
        with transaction.atomic(durable=True), connection.cursor() as cursor:
            keep_writers_out("payments_posting", patience=PATIENCE)
            cursor.execute("SELECT coalesce(max(id), 0) FROM payments_posting")
            return int(cursor.fetchone()[0])
    except TablesBusy:
        return None
