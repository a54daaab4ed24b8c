"""Writing into the ledger for tests: through `post()`, and past it, with raw SQL, as an attacker would."""

from itertools import count

from django.db import Error, connection, transaction

from config.clock import database_now
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import Account, JournalEntry
from payments.ledger.posting import Draft, Line, post

CLEARING = AccountName(Kind.CLEARING, provider="stripe")
UNALLOCATED = AccountName(Kind.UNALLOCATED)
LINES = "INSERT INTO payments_posting (journal_entry_id, account_id, currency_id, livemode, amount)"
_numbers = count(1)


def draft(amount=100, *, currency="usd", livemode=False, source=None, event="received", at=None, lines=None):
    """An entry of two lines, unless others are given."""
    lines = lines or (Line(CLEARING, amount), Line(UNALLOCATED, -amount))
    source = source or ("test", str(next(_numbers)))
    return Draft(source, event, currency, livemode, at or database_now(), lines)


def posted(*args, **kwargs):
    """Post an entry and commit it; its id."""
    with transaction.atomic():
        return post(draft(*args, **kwargs))


def account(name=CLEARING, currency="usd", livemode=False):
    """The id of an account that was posted to."""
    return Account.objects.get(
        kind=name.kind, currency=currency, livemode=livemode, pool_id=name.pool_id, player_id=name.player_id,
        provider=name.provider,
    ).pk  # fmt: skip


class Books:
    """Raw SQL against the journal. `refused` answers what the database said no with."""

    def __init__(self):
        self.entry = posted()
        self.debit, self.credit = account(), account(UNALLOCATED)

    def refused(self, *statements, **parameters):
        """Run the statements as one transaction; the name of the constraint or guard that refused, else its state."""
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement, parameters or None)
        except Error as error:
            cause = error.__cause__
            return cause.diag.constraint_name or cause.sqlstate
        return None

    def header(self, source="raw", currency="usd", livemode=False, txid=None, entry_id=None):
        """SQL of an entry without lines."""
        extra = {"txid": txid} if txid is not None else {}
        extra |= {"id": entry_id} if entry_id is not None else {}
        names = "".join(f", {name}" for name in extra)
        values = "".join(f", {value}" for value in extra.values())
        return (
            "INSERT INTO payments_journalentry (source_type, source_id, event, currency_id, livemode, effective_at,"
            f" finance_date{names}) VALUES ('test', '{source}', 'raw', '{currency}', {livemode}, now(), now(){values})"
        )

    def lines(self, *amounts, account=None, entry=None, currency="usd", livemode=False):
        """SQL of lines, in one statement: of the entry written last and on one account, unless others are named."""
        entry = entry or "(SELECT max(id) FROM payments_journalentry)"
        values = ", ".join(
            f"({entry}, {account or self.debit}, '{currency}', {livemode}, {amount})" for amount in amounts
        )
        return f"{LINES} VALUES {values}"

    def state(self):
        """Everything that is in the books."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM payments_posting ORDER BY id")
            lines = cursor.fetchall()
        return list(JournalEntry.objects.order_by("id").values_list("id", "source_id", "event")), lines
