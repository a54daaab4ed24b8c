"""What a rule is: one query of sets, which says of each thing that differs what it is and what both sides have.

Amounts have no tolerance; only time has: what happened within the last quarter of an hour may still be on its way.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from config.money import THREE_DECIMAL, ZERO_DECIMAL
from payments.models import DiscrepancyKind

GRACE = timedelta(minutes=15)

# What a rule finds, in this order; `FOUND` is the table that all rules fill.
FOUND = """
    CREATE TEMP TABLE found (
        rule text, kind text, object_key text, target text, happened_at timestamptz, sentence text, ours jsonb,
        theirs jsonb, amount_cents bigint, currency text, known boolean, due_at timestamptz
    ) ON COMMIT DROP
"""


class Of(StrEnum):
    """What a rule compares, which says when it can be asked."""

    MOVEMENTS = "movements"  # the provider's feed with our movements, in every run
    LISTS = "lists"  # its lists of objects with our rows, in deep runs
    ROWS = "rows"  # our rows with each other: those of the window, and all of them once a week


@dataclass(frozen=True, slots=True)
class Rule:
    """SQL expressions over `source`, a FROM clause with its WHERE.

    `key` names what it is about, and `target` what is to be healed, if anything (`payment:12`); `known` says that the
    thing is here under our own name and with the same amount, so that healing makes nothing out of nothing. `told_as`
    lists kinds under which a service has put the same thing before a person already: then it is no second row.
    """

    name: str
    kind: DiscrepancyKind
    of: Of
    source: str
    key: str
    at: str
    sentence: str
    target: str = "NULL"
    ours: str = "'{}'"
    theirs: str = "'{}'"
    amount: str = "NULL"
    currency: str = "''"
    known: str = "false"
    due: str = "NULL"
    told_as: str = "''"

    @property
    def sql(self) -> str:
        """The statement that puts what differs into `found`."""
        return (
            f"INSERT INTO found SELECT '{self.name}', '{self.kind}', {self.key}, {self.target}, {self.at},"
            f" {self.sentence}, {self.ours}::jsonb, {self.theirs}::jsonb, ({self.amount})::bigint, {self.currency},"
            f" {self.known}, ({self.due})::timestamptz FROM {self.source}"
        )


def facts(**columns: str) -> str:
    """SQL of one side's facts, without those that are empty."""
    pairs = ", ".join(f"'{name}', {sql}" for name, sql in columns.items())
    return f"jsonb_strip_nulls(jsonb_build_object({pairs}))"


def money(prefix: str, **more: str) -> str:
    """The same of an amount and its currency, in columns that begin alike."""
    return facts(amount_cents=f"{prefix}amount_cents", currency=f"{prefix}currency", **more)


def said(minor: str, currency: str) -> str:
    """SQL of an amount as people read it: `50.00 USD`."""
    zero, three = (", ".join(f"'{one}'" for one in sorted(codes)) for codes in (ZERO_DECIMAL, THREE_DECIMAL))
    return f"""(CASE WHEN {currency} IN ({zero}) THEN ({minor})::text
        WHEN {currency} IN ({three}) THEN round(({minor})::numeric / 1000, 3)::text
        ELSE round(({minor})::numeric / 100, 2)::text END || ' ' || upper({currency}))"""


def as_ref(column: str) -> str:
    """SQL of one of our names, as a uuid; NULL for what is none. Whatever others wrote stands there."""
    return f"(CASE WHEN {column} ~* '^[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$' THEN {column}::uuid END)"


def in_window(instant: str) -> str:
    """SQL of whether a row of our own is of the time that the run compares. Runs over weeks look at all of it."""
    return f"""(%(rows_since)s::timestamptz IS NULL OR {instant} >= %(rows_since)s::timestamptz)
    AND (%(rows_until)s::timestamptz IS NULL OR {instant} < %(rows_until)s::timestamptz)"""


# Mostly by when `p` came to be.
IN_WINDOW = in_window("p.created_at")

# What the charge or session says of itself, of a payment that we do not have.
MISSING_HERE = """%(provider)s || ' knows a payment of ours that is not here: ' || t.ref
    || ' (' || t.charge_id || ').'"""
