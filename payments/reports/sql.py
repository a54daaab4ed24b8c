"""Fragments of SQL that reports share: how cells are written, and which rows are wanted."""

from config.money import THREE_DECIMAL, ZERO_DECIMAL
from payments.models.refund import UNFINISHED

# Type of a source of the journal → the name that its entries have for a row, as the services wrote it.
_NAMES = {
    "charge": "{0}.provider || ':' || {0}.charge_id",
    "dispute": "{0}.provider || ':' || {0}.provider_reference",
    "movement": "{0}.provider || ':' || {0}.reference",
    "payout": "{0}.ref::text",
    "refund": "{0}.ref::text",
}


def money_sql(minor: str, currency: str) -> str:
    """SQL of the two cells of an amount: with the currency's own number of decimals, and in minor units."""
    zero, three = (", ".join(f"'{one}'" for one in sorted(codes)) for codes in (ZERO_DECIMAL, THREE_DECIMAL))
    return f"""CASE WHEN {currency} IN ({zero}) THEN ({minor})::numeric
        WHEN {currency} IN ({three}) THEN round(({minor})::numeric / 1000, 3)
        ELSE round(({minor})::numeric / 100, 2) END, {minor}"""


def instant_sql(expression: str) -> str:
    """SQL of an instant, to the second: `2026-09-10T00:20:00Z`."""
    return f"""to_char({expression} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def day_sql(expression: str) -> str:
    """SQL of the day it is in the finance zone."""
    return f"to_char({expression} AT TIME ZONE %(zone)s, 'YYYY-MM-DD')"


def date_sql(day: str) -> str:
    """SQL of a day that is kept as one."""
    return f"to_char({day}, 'YYYY-MM-DD')"


def mode_sql(row: str) -> str:
    """SQL of whether the row is of real money, or of that of tests."""
    return f"CASE WHEN {row}.livemode THEN 'live' ELSE 'test' END"


def bucket_sql(seconds: str, *days: int) -> str:
    """SQL of the bucket of an age, of those that end at so many days: `0-1`, `1-3`, and at last `>7`."""
    steps = zip((0, *days), days, strict=False)
    cases = " ".join(f"WHEN {seconds} < {until} * 86400 THEN '{since}-{until}'" for since, until in steps)
    return f"CASE {cases} ELSE '>{days[-1]}' END"


def of_pool(pool: str) -> str:
    """SQL of the narrowing by pool."""
    return f"(%(pool)s::bigint IS NULL OR {pool} = %(pool)s::bigint)"


def in_time(instant: str) -> str:
    """SQL of the narrowing by time."""
    return f"""(%(since)s::timestamptz IS NULL OR {instant} >= %(since)s::timestamptz)
        AND (%(until)s::timestamptz IS NULL OR {instant} < %(until)s::timestamptz)"""


def is_gone(refund: str) -> str:
    """SQL of whether a refund's money has left our balance for good; see `RefundQuerySet.gone`."""
    under_way = ", ".join(f"'{status}'" for status in UNFINISHED)
    return f"({refund}.status = 'succeeded' OR {refund}.is_paid AND {refund}.status IN ({under_way}))"


def source_id(source_type: str, row: str) -> str:
    """SQL of the `source_id` that entries of this type have for the row."""
    return _NAMES[source_type].format(row)
