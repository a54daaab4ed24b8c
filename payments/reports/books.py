"""What the reports of the books share: their lines as of a moment and of some days, and which pool a line is of.

An account tells the pool of a pot, of a fee, of goodwill. What a provider kept, what a dispute took, what is owed to a
player is on accounts of no pool: there the thing tells it that the entry was booked for. All of it is written once and
never changed, so that the same moment is told in the same way for ever.
"""

from payments.ledger.accounts import Kind
from payments.reports.options import choice
from payments.reports.sql import source_id

MONEY = choice(
    "money", "Money", {"all": "Real, and that of tests", "live": "Real", "test": "Of tests"}, default="all"
)  # fmt: skip

# SQL of the lines `l`, their entries `j` and accounts `a`: as of the moment, through the last day. A day is the
# entry's own, written when it was booked; it is never worked out anew.
LINES = """
    payments_posting l
    JOIN payments_journalentry j ON j.id = l.journal_entry_id
    JOIN payments_account a ON a.id = l.account_id
"""
AS_OF = """
    l.id <= %(as_of_posting)s AND j.id <= %(as_of_journal)s
    AND (%(last_day)s::date IS NULL OR j.finance_date <= %(last_day)s::date)
"""
OF_MONEY = "(%(money)s = 'all' OR a.livemode = (%(money)s = 'live'))"
# SQL of whether a line is of the days asked for, and not of those before.
IN_DAYS = "(%(first_day)s::date IS NULL OR j.finance_date >= %(first_day)s::date)"

_REQUEST = "JOIN payments_payment p ON p.id = t.payment_id JOIN entries_request q ON q.id = p.request_id"
# Type of a source → SQL of its rows: the name that the journal has for each, its pool, its player.
_ORIGINS = {
    "receipt": f"SELECT 'receipt', t.id::text, q.pool_id, q.user_id FROM payments_receipt t {_REQUEST}",
    "request": "SELECT 'request', id::text, pool_id, user_id FROM entries_request",
    "refund": f"""SELECT 'refund', {source_id("refund", "f")}, q.pool_id, q.user_id
        FROM payments_refund f JOIN payments_receipt t ON t.id = f.receipt_id {_REQUEST}""",
    "dispute": f"""SELECT 'dispute', {source_id("dispute", "d")}, q.pool_id, q.user_id
        FROM payments_dispute d JOIN payments_receipt t ON t.id = d.receipt_id {_REQUEST}""",
    "movement": f"""SELECT 'movement', {source_id("movement", "m")}, q.pool_id, q.user_id
        FROM payments_movement m
        LEFT JOIN payments_refund f ON f.id = m.refund_id
        LEFT JOIN payments_dispute d ON d.id = m.dispute_id
        JOIN payments_receipt t ON t.id = coalesce(m.receipt_id, f.receipt_id, d.receipt_id) {_REQUEST}""",
    "payout": f"""SELECT 'payout', {source_id("payout", "o")}, b.pool_id, o.player_id
        FROM payments_payout o JOIN payments_prizebooking b ON b.id = o.booking_id""",
    "prize_correction": "SELECT 'prize_correction', id::text, pool_id, player_id FROM payments_prizecorrection",
    "pool": """SELECT 'pool', b.pool_id || ':' || b.number, b.pool_id, NULL::bigint FROM payments_prizebooking b""",
}


def origins(*types: str) -> str:
    """SQL of a table: what entries of these types of sources were booked for, with its pool and player."""
    rows = " UNION ALL ".join(_ORIGINS[name] for name in types)
    return f"origin (source_type, source_id, pool_id, player_id) AS ({rows})"


ORIGIN = "LEFT JOIN origin o ON (o.source_type, o.source_id) = (j.source_type, j.source_id)"


def sum_of(condition: str, *, sign: str = "", amount: str = "l.amount") -> str:
    """SQL of what the lines that meet the condition come to, in minor units."""
    return f"{sign}coalesce(sum({amount}) FILTER (WHERE {condition}), 0)::bigint"


def label_of(kind: str) -> str:
    """SQL of the name that people know a kind of account by."""
    names = " ".join(f"WHEN '{one.value}' THEN '{one.label}'" for one in Kind)
    return f"CASE {kind} {names} END"


def place_of(kind: str) -> str:
    """SQL of where a kind of account stands in the chart."""
    chart = ", ".join(f"'{one.value}'" for one in Kind)
    return f"array_position(ARRAY[{chart}], {kind}::text)"
