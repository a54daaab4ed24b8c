"""What stands where. A sum is signed as the lines are: debits positive.

Two ways lead to it. `sums_of` is for pages: the newest checkpoint of each account and the lines after it. The trial
balance adds every line up itself, so that neither is the other's proof.

"As of" an instant means: up to the last entry that was posted by then. Entries are whole, so that every such sum of the
books is nothing; and the bound is a number that lines carry, so that it costs no join.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from django.db import connection
from django.db.models import Q, Sum

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import Posting
from payments.ledger.posting import key_of

NEWEST = """
    SELECT through_posting_id, balance, credits, debits FROM payments_checkpoint
    WHERE account_id = a.id ORDER BY through_posting_id DESC LIMIT 1
"""

SUMS = f"""
    SELECT a.id, coalesce(c.balance, 0) + rest.balance, coalesce(c.credits, 0) + rest.credits,
           coalesce(c.debits, 0) + rest.debits
    FROM payments_account a
    LEFT JOIN LATERAL ({NEWEST}) c ON true
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(amount), 0)::bigint AS balance, count(*) FILTER (WHERE amount < 0) AS credits,
               count(*) FILTER (WHERE amount > 0) AS debits
        FROM payments_posting WHERE account_id = a.id AND id > coalesce(c.through_posting_id, 0)
    ) rest
"""

LAST_ENTRY = "SELECT id FROM payments_journalentry WHERE posted_at <= %s ORDER BY posted_at DESC, id DESC LIMIT 1"

# Each line is looked at once: turnover and balance give both sides.
TRIAL = """
    WITH account AS (
        SELECT account_id, sum(amount) AS balance, sum(abs(amount)) AS turnover
        FROM payments_posting {bound} GROUP BY account_id
    )
    SELECT a.currency_id, a.kind, {account}, {names}, ((sum(turnover) + sum(balance)) / 2)::bigint,
           ((sum(turnover) - sum(balance)) / 2)::bigint
    FROM account JOIN payments_account a ON a.id = account.account_id
    WHERE a.livemode = %(livemode)s
    GROUP BY a.currency_id, a.kind, {groups}a.normal_side
    ORDER BY a.currency_id, {order}
"""


class Standing(NamedTuple):
    """What an account has come to, and how many of its lines were credits and debits."""

    balance: int = 0
    credits: int = 0
    debits: int = 0


def sums_of(account_ids: Collection[int]) -> Mapping[int, Standing]:
    """What these accounts have come to: one query."""
    with connection.cursor() as cursor:
        cursor.execute(f"{SUMS} WHERE a.id = ANY(%s)", [list(account_ids)])
        return {account_id: Standing(*numbers) for account_id, *numbers in cursor.fetchall()}


def balance_of(account: AccountName, currency: str, *, livemode: bool) -> int:
    """What the account has come to, debits positive; 0 where nothing was ever booked on it."""
    with connection.cursor() as cursor:
        cursor.execute(f"{SUMS} WHERE a.key = %s", [key_of(account, currency, livemode=livemode)])
        row = cursor.fetchone()
    return 0 if row is None else int(row[1])


def booked_for(kind: Kind, sources: Mapping[str, Collection[str]], *, event: str = "") -> int:
    """What was booked on accounts of this kind for these sources (type → ids), of one event or of all."""
    wanted = Q()
    for source_type, source_ids in sources.items():
        wanted |= Q(journal_entry__source_type=source_type, journal_entry__source_id__in=source_ids)
    lines = Posting.objects.filter(wanted, account__kind=kind)
    if event:
        lines = lines.filter(journal_entry__event=event)
    return lines.aggregate(total=Sum("amount"))["total"] or 0


def last_entry_by(instant: datetime) -> int:
    """The last entry that was posted by then; 0 for none."""
    with connection.cursor() as cursor:
        cursor.execute(LAST_ENTRY, [instant])
        row = cursor.fetchone()
    return 0 if row is None else int(row[0])


class Detail(Enum):
    """How finely a trial balance tells accounts apart."""

    KIND = ()
    POOL = ("pool_id",)
    ACCOUNT = ("pool_id", "player_id", "provider")


@dataclass(frozen=True, slots=True)
class TrialRow:
    """The accounts of one kind (and, where they are told apart, of one pool, player, provider)."""

    currency: str
    kind: Kind
    account_id: int | None
    pool_id: int | None
    player_id: int | None
    provider: str
    debit: int
    credit: int

    @property
    def balance(self) -> int:
        """Debits positive."""
        return self.debit - self.credit


@dataclass(frozen=True, slots=True)
class TrialBalance:
    """The books as of an entry (None: as they are). `proof` is the difference per currency: nothing, in right books."""

    as_of: datetime | None
    through_entry: int | None
    livemode: bool
    rows: list[TrialRow]

    @property
    def proof(self) -> dict[str, int]:
        """Debits less credits, per currency."""
        proof: dict[str, int] = {}
        for row in self.rows:
            proof[row.currency] = proof.get(row.currency, 0) + row.balance
        return proof


def trial_balance(*, as_of: datetime | None = None, livemode: bool, detail: Detail = Detail.KIND) -> TrialBalance:
    """Debits and credits of every kind of account, per currency, up to the last entry posted by `as_of`."""
    through = None if as_of is None else last_entry_by(as_of)
    names = ("pool_id", "player_id", "provider")
    nothing = {"pool_id": "NULL::bigint", "player_id": "NULL::bigint", "provider": "''"}
    columns = [f"a.{name}" if name in detail.value else nothing[name] for name in names]
    groups = [f"a.{name}" for name in detail.value]
    statement = TRIAL.format(
        bound="" if through is None else "WHERE journal_entry_id <= %(through)s",
        account="min(a.id)" if detail is Detail.ACCOUNT else "NULL::bigint",
        names=", ".join(columns),
        groups="".join(f"{name}, " for name in groups),
        order=", ".join(["a.kind", *groups]),
    )
    with connection.cursor() as cursor:
        cursor.execute(statement, {"through": through, "livemode": livemode})
        rows = [TrialRow(code, Kind(kind), *rest) for code, kind, *rest in cursor.fetchall()]
    order = list(Kind)
    rows.sort(key=lambda row: (row.currency, order.index(row.kind)))
    return TrialBalance(as_of, through, livemode, rows)
