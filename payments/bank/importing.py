"""Taking in a bank's file: read as a whole, then written as a whole, or refused with what is wrong with it.

The same file, statement or line is never taken twice. What an account had before its first statement is booked once.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction

from accounts.models import User
from config.audit import attribute
from config.clock import database_now, finance_date
from config.constraints import constraint_of
from config.errors import Code, Conflict, NotFound, invalid
from config.phrases import Money, phrase
from payments.bank.camt import read_camt
from payments.bank.csv_file import read_csv
from payments.bank.days import noon
from payments.bank.gaps import look_for_gaps
from payments.bank.layouts import read_layout
from payments.bank.matching import match_lines
from payments.bank.read import ReadLine, ReadStatement, named, on_days_that_were, plain, unreadable
from payments.ledger.posting import post
from payments.ledger.rules import Sum, bank
from payments.models import BankAccount, BankFile, BankFormat, BankLine, BankStatement
from payments.models.bank import LARGEST_FILE

FILE_ONCE = "payments_bankfile_sha256_key"


@dataclass(frozen=True, slots=True)
class Given:
    """What a person says of a file that does not say it itself: its account, and its balances in minor units."""

    account_id: int | None = None
    opening_cents: int | None = None
    closing_cents: int | None = None


@dataclass(frozen=True, slots=True)
class Imported:
    """What was taken in. `known` lines were there already; `matched` is how many of the new ones were recognised."""

    file: BankFile
    statements: tuple[BankStatement, ...]
    new: int
    known: int
    matched: int


class AlreadyImported(Conflict):
    """Nothing in the file is new."""

    def __init__(self, message: str, **details: int) -> None:
        super().__init__(Code.ALREADY_IMPORTED, message, details)


def import_file(*, content: bytes, name: str, given: Given, by: User) -> Imported:
    """Take in a statement as CSV or CAMT.053, whichever it is, and find out what its lines are.

    Raises VALIDATION_ERROR with what is wrong about `file`, `account`, `opening_cents` or `closing_cents`, NOT_FOUND
    for an account that is not there, and ALREADY_IMPORTED for a file, or statements, that are here already.
    """
    if not 0 < len(content) <= LARGEST_FILE:
        raise unreadable(f"It has {len(content)} bytes; 1 to {LARGEST_FILE} can be taken.")
    digest = hashlib.sha256(content).hexdigest()
    _refuse_known(digest)
    is_xml = content[:200].lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\x00").startswith(b"<")
    read = read_camt(content) if is_xml else [_read_csv(content, given)]
    imported = _write(content, name, digest, BankFormat.CAMT053 if is_xml else BankFormat.CSV, read, given, by)
    accounts = {statement.account_id for statement in imported.statements}
    matched = sum(match_lines(account_id=account_id) for account_id in sorted(accounts))
    return Imported(imported.file, imported.statements, imported.new, imported.known, matched)


def _refuse_known(digest: str) -> None:
    known = BankFile.objects.filter(sha256=digest).only("pk", "name").first()
    if known is not None:
        raise AlreadyImported(phrase("This very file was taken in as {known!r}.", known=known.name), file=known.pk)


def _read_csv(content: bytes, given: Given) -> ReadStatement:
    if given.account_id is None:
        raise invalid("account", "A CSV file does not say whose it is: name the account.")
    account = _account(given.account_id)
    return read_csv(content, read_layout(account.layout), account.currency)


def _account(account_id: int) -> BankAccount:
    account = BankAccount.objects.filter(pk=account_id).first()
    if account is None:
        raise NotFound(Code.NOT_FOUND, "There is no such bank account.")
    return account


def _write(
    content: bytes, name: str, digest: str, format: BankFormat, read: Sequence[ReadStatement], given: Given, by: User
) -> Imported:
    try:
        with transaction.atomic():
            attribute(by=by, reason=f"imported {plain(name, 100)}")
            file = BankFile.objects.create(
                name=plain(name, 200) or "statement",
                format=format,
                sha256=digest,
                size=len(content),
                content=content,
                imported_by=by,
            )
            return _Writing(file, read, given).write()
    except IntegrityError as error:
        if constraint_of(error) != FILE_ONCE:
            raise
        raise AlreadyImported("This very file has just been taken in.") from error


class _Writing:
    """One file on its way into the database, all statements in one transaction."""

    def __init__(self, file: BankFile, read: Sequence[ReadStatement], given: Given) -> None:
        self.file, self.read, self.given = file, read, given
        self.today = finance_date(database_now())

    def write(self) -> Imported:
        if len(self.read) > 1 and (self.given.opening_cents, self.given.closing_cents) != (None, None):
            raise invalid("opening_cents", "The file has several statements: their balances are its own.")
        written, new, known = [], 0, 0
        # Always in the order of their days, and of accounts by name: so that two files at once never wait in a ring.
        by_account = sorted(self.read, key=lambda one: (one.number, one.last_on, one.first_on))
        for statement in by_account:
            account = self._account_of(statement)
            one, seen = self._statement(account, on_days_that_were(statement, self.today))
            known += seen
            if one is not None:
                written.append(one)
                new += one.line_count
        if not written:
            raise AlreadyImported("Everything in this file is here already.", known=known)
        for account_id in sorted({one.account_id for one in written}):
            look_for_gaps(account_id=account_id)
        return Imported(self.file, tuple(written), new, known, 0)

    def _account_of(self, statement: ReadStatement) -> BankAccount:
        """The account that the file names, which must be the one that was chosen; locked."""
        accounts = BankAccount.objects.locked()
        if not statement.number:
            if self.given.account_id is None:
                raise invalid("account", "The file does not say whose it is: name the account.")
            account = accounts.filter(pk=self.given.account_id).first()
        else:
            account = accounts.filter(number=statement.number).first()
            if account is None:
                raise unreadable(f"It is of account {plain(statement.number, 40)}, which is none of the house's.")
        if account is None:
            raise NotFound(Code.NOT_FOUND, "There is no such bank account.")
        if self.given.account_id not in (None, account.pk):
            raise invalid(
                "account", phrase("The file is of {account}, not of the account that was chosen.", account=account.name)
            )
        if statement.currency not in ("", account.currency):
            ours, theirs = account.currency.upper(), statement.currency.upper()
            raise unreadable(f"It is in {theirs}, and {account.name} is an account in {ours}.")
        return account

    def _statement(self, account: BankAccount, read: ReadStatement) -> tuple[BankStatement | None, int]:
        """The statement with what of it is new; None where nothing is. Also how many lines were known."""
        if read.reference and self._is_known(account, read):
            return None, len(read.lines)
        lines = list(named(read.lines))
        known = _known_of(account, lines)
        new = [line for line in lines if line.reference not in known]
        if known and (read.reference or not new):
            # A bank's own statement is whole: some of its lines under another name would count twice.
            if not new:
                return None, len(known)
            raise AlreadyImported(
                phrase(
                    "{count} of its {total} lines are here already, on another statement.",
                    count=len(known),
                    total=len(lines),
                ),
                known=len(known),
            )
        opening, closing, is_stated = self._balances(account, read, lines, new)
        before = account.statements.order_by("last_on", "pk").first()
        statement = BankStatement.objects.create(
            file=self.file,
            account=account,
            reference=read.reference or f"{read.first_on} to {read.last_on}, {self.file.sha256[:8]}",
            first_on=min((line.booked_on for line in new), default=read.first_on) if known else read.first_on,
            last_on=read.last_on,
            opening_cents=opening,
            closing_cents=closing,
            is_stated=is_stated,
            line_count=len(new),
            lines_cents=closing - opening,
        )
        _write_lines(statement, account, new)
        _book_opening(statement, account, before)
        return statement, len(known)

    def _is_known(self, account: BankAccount, read: ReadStatement) -> bool:
        """Whether the statement is here. Refuses another one of the same name: leaving it out would lose its lines."""
        here = account.statements.filter(reference=read.reference).values_list("line_count", "lines_cents").first()
        if here is not None and here != (len(read.lines), sum(line.amount_cents for line in read.lines)):
            raise unreadable(f"Another statement of {account.name} is called {read.reference}, with other lines.")
        return here is not None

    def _balances(
        self, account: BankAccount, read: ReadStatement, lines: list[ReadLine], new: list[ReadLine]
    ) -> tuple[int, int, bool]:
        """Opening and closing of what is new, and whether the bank (or whoever has the paper) says so.

        Refuses balances that its lines do not lead from and to, and a first statement without any.
        """
        moved = sum(line.amount_cents for line in new)
        opening = read.opening_cents if self.given.opening_cents is None else self.given.opening_cents
        closing = read.closing_cents if self.given.closing_cents is None else self.given.closing_cents
        last = account.statements.order_by("-last_on", "-pk").first()
        if len(new) < len(lines):
            # Of what reaches to the end of the books, the end counts: late bookings may stand between known ones.
            is_last = last is None or read.last_on >= last.last_on
            closing = closing if is_last or closing is None else new[-1].balance_cents
            opening = None if closing is None else closing - moved
        if opening is not None and closing is not None and opening + moved != closing:
            code = account.currency
            raise invalid(
                "closing_cents",
                phrase(
                    "The lines come to {moved}, which does not lead from {opening} to {closing}.",
                    moved=Money(moved, code),
                    opening=Money(opening, code),
                    closing=Money(closing, code),
                ),
            )
        if opening is None and closing is None:
            if last is None:
                raise invalid("opening_cents", "It is the account's first statement: say what was there before it.")
            return last.closing_cents, last.closing_cents + moved, False
        if opening is None:
            opening = (closing or 0) - moved
        return opening, opening + moved, True


def _known_of(account: BankAccount, lines: Sequence[ReadLine]) -> set[str]:
    """Which of them are here already. Refuses a name that another line has: one of the two would be left out."""
    here = account.lines.filter(reference__in=[line.reference for line in lines])
    said = {reference: facts for reference, *facts in here.values_list("reference", "booked_on", "amount_cents")}
    for line in lines:
        if said.get(line.reference, [line.booked_on, line.amount_cents]) != [line.booked_on, line.amount_cents]:
            raise unreadable(
                f"Line {line.reference} is here already, of another day or amount: what this file calls its lines does"
                " not tell them apart."
            )
    return set(said)


def _write_lines(statement: BankStatement, account: BankAccount, lines: Sequence[ReadLine]) -> None:
    """All in one statement of SQL, as the database wants it."""
    BankLine.objects.bulk_create(
        BankLine(
            statement=statement,
            account=account,
            reference=line.reference,
            booked_on=line.booked_on,
            value_on=line.value_on,
            amount_cents=line.amount_cents,
            currency=account.currency,
            text=line.text,
            counterparty=line.counterparty,
            trace_id=line.trace_id,
        )
        for line in lines
    )


def _book_opening(statement: BankStatement, account: BankAccount, before: BankStatement | None) -> None:
    """What was there before the first statement of all; an earlier one that comes later corrects it."""
    if before is not None and (before.last_on, before.pk) < (statement.last_on, statement.pk):
        return
    booked = 0 if before is None else before.opening_cents
    at = noon(statement.first_on)
    post(
        bank.account_opened(statement.pk, Sum(statement.opening_cents - booked, account.currency, account.livemode, at))
    )
