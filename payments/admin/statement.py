"""The statement on an account's page: a period of it, line by line, with the balance after each and the proof of it."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest

from config.api.pagination import read_position, sign_position
from config.clock import database_now, finance_date
from config.errors import Malformed
from config.locks import one_snapshot
from config.names import named
from config.phrases import shown_amount
from config.words import spoken
from payments.admin.report_periods import day_of, periods
from payments.admin.ways import way
from payments.ledger.balances import Standing, sums_of
from payments.ledger.models import Account
from payments.ledger.statements import Position, Statement, StatementLine, account_statement

LINES_A_PAGE = 100
ALL, THIS_MONTH = "all", "this_month"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which days, by when a line was posted, in the finance zone, both included; `period` is their name, if any."""

    period: str = ""
    first: date | None = None
    last: date | None = None

    @property
    def query(self) -> dict[str, str]:
        """As it stands in an address."""
        if self.period:
            return {"period": self.period}
        return {name: day.isoformat() for name, day in (("since", self.first), ("until", self.last)) if day}


def statement_page(request: HttpRequest, account: Account) -> dict[str, Any]:
    """A page of the statement: of the days that are asked for, else of all; of this month where that is too much."""
    # Of one moment: what is posted while the page is made would look like a difference.
    with one_snapshot():
        standing = sums_of([account.pk]).get(account.pk, Standing())
        today = finance_date(database_now())
        wish = _wish(request, today, is_long=standing.credits + standing.debits > LINES_A_PAGE)
        # By its days: a month later “this month” is another, and the balance carried on would be that of the old one.
        name = ("statement", account.pk, str(wish.first), str(wish.last))
        found = account_statement(
            account_id=account.pk,
            since=_midnight(wish.first),
            until=_midnight(wish.last + timedelta(days=1) if wish.last else None),
            after=_position(name, request.GET.get("after", "")),
            limit=LINES_A_PAGE,
        )
    side, code = account.normal_side, account.currency_id
    after = urlencode({**wish.query, "after": sign_position(name, found.next)}) if found.next else ""
    return {
        "wish": wish,
        "periods": periods(today),
        "carried": shown_amount(found.carried * side, code),
        "opening": shown_amount(found.opening * side, code),
        "closing": shown_amount(found.closing * side, code),
        "debits": shown_amount(found.debits, code),
        "credits": shown_amount(found.credits, code),
        "lines": [_line(line, account) for line in found.lines],
        "is_begun": found.carried != found.opening or "after" in request.GET,
        "first_page": urlencode(wish.query),
        "next": after,
        "differs": _difference(found, standing if wish.last is None else None, code),
    }


def _line(line: StatementLine, account: Account) -> dict[str, Any]:
    side, code = account.normal_side, account.currency_id
    return {
        "line": line,
        "source": way(line.source_type, line.source_id),
        "event": named(spoken(line.event)),
        "debit": shown_amount(line.amount, code) if line.amount > 0 else "",
        "credit": shown_amount(-line.amount, code) if line.amount < 0 else "",
        "balance": shown_amount(line.balance * side, code),
    }


def _difference(found: Statement, standing: Standing | None, code: str) -> str:
    """By how much what is shown misses the balance: nothing, in right books.

    The lines of the page are added up here, those of the period by the database, and the balance of the whole account
    comes from its newest checkpoint: three ways that know nothing of each other.
    """
    shown = found.lines[-1].balance if found.lines else found.carried
    rests = [
        found.carried + sum(line.amount for line in found.lines) - shown,
        found.opening + found.debits - found.credits - found.closing,
        0 if found.next else shown - found.closing,
        0 if standing is None else standing.balance - found.closing,
    ]
    return next((shown_amount(abs(rest), code) for rest in rests if rest), "")


def _wish(request: HttpRequest, today: date, *, is_long: bool) -> Wish:
    given = request.GET
    known = {one.name: one for one in periods(today)}
    first, last = day_of(given.get("since", "")), day_of(given.get("until", ""))
    if first and last and first > last:
        # Between two days, whichever of them was given first.
        first, last = last, first
    if first or last:
        return Wish("", first, last)
    name = given.get("period") or (THIS_MONTH if is_long else ALL)
    period = known.get(name)
    return Wish(ALL) if period is None else Wish(name, period.first, period.last)


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), settings.FINANCE_TIME_ZONE)


def _position(name: tuple[Any, ...], text: str) -> Position | None:
    """Where the page begins; at the beginning, for what we did not write for this very statement."""
    try:
        line, balance = read_position(name, text, length=2, name="after")
    except Malformed:
        return None
    return Position(line, balance)
