"""Days of money in the books, and a mapping of every account."""

import io
import zipfile
from datetime import UTC, datetime, timedelta

from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Line
from payments.models import AccountingSystem, AccountMapping
from tests.support.ledger import CLEARING, UNALLOCATED, posted
from tests.support.reports import from_csv

QUICKBOOKS, XERO = AccountingSystem.QUICKBOOKS, AccountingSystem.XERO
FEES = AccountName(Kind.PROVIDER_FEES, provider="stripe")


def day(number):
    """A day of January, long over; the days before it are 0, -1 and so on."""
    return datetime(2026, 1, 1, 12, tzinfo=UTC) + timedelta(days=number - 1)


def received(number, amount=5000, **how):
    """Money on that day of January."""
    return posted(amount, at=day(number), **how)


def allocated(number, pool, amount=5000):
    """It became a place of the pool, a tenth the house's."""
    house = amount // 10
    lines = (
        Line(UNALLOCATED, amount),
        Line(AccountName(Kind.PRIZE_POT, pool.pk), house - amount),
        Line(AccountName(Kind.FEE_REVENUE, pool.pk), -house),
    )
    return posted(at=day(number), event="allocated", lines=lines)


def fee(number, amount=175):
    """The provider kept its fee."""
    return posted(at=day(number), event="fee", lines=(Line(FEES, amount), Line(CLEARING, -amount)))


def mapped(system, **changes):
    """Each kind is an account of theirs."""
    for place, kind in enumerate(Kind, start=100):
        account = f"Outlast:{kind.label}" if system == QUICKBOOKS else str(place)
        AccountMapping.objects.create(
            system=system, kind=kind, account=changes.get(str(kind), account), tax_rate="Tax Exempt"
        )


def files_of(batch):
    """The files of a batch by name: one, or those of its ZIP."""
    content = bytes(batch.content)
    if batch.file_name.endswith(".csv"):
        return {batch.file_name: content}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def lines_of(batch):
    """The same, read."""
    return {name: from_csv(content) for name, content in files_of(batch).items()}
