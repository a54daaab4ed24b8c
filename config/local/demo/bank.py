"""The demo's bank: a statement with every transfer that staff signed for, and two lines that nobody can explain yet."""

import csv
import io
from datetime import date

from django.conf import settings

from accounts.models import Role
from config.local.demo.money import Staff
from config.money import to_decimal
from payments.bank.importing import Given, Imported, import_file
from payments.models import BankAccount, ManualMethod, ManualRecord, ManualState

LAYOUT = {"date": "Date", "amount": "Amount", "text": ["Text"], "counterparty": "Name", "balance": "Balance"}
# Cents, text, name: what finance finds in the morning.
UNEXPLAINED = ((12000, "RENT STADIUM HALL 4711", "City of Springfield"), (-3850, "ACCOUNT FEE", "First Bank"))


def bring_statement(staff: Staff) -> Imported:
    """Take in a statement over all confirmed transfers, as finance would from the bank's page."""
    account = BankAccount.objects.create(
        name="First Bank, current account", number="US00DEMO0000000001", currency="usd", layout=LAYOUT
    )
    content = _statement(_lines())
    given = Given(account_id=account.pk, opening_cents=0)
    return import_file(content=content, name="statement.csv", given=given, by=staff[Role.FINANCE])


def _lines() -> list[tuple[date, int, str, str]]:
    transfers = ManualRecord.objects.filter(
        method=ManualMethod.TRANSFER, status=ManualState.CONFIRMED, payment__isnull=False, currency="usd"
    ).select_related("payment__request__user")
    zone = settings.FINANCE_TIME_ZONE
    lines = [
        (
            record.passed_at.astimezone(zone).date(),
            record.amount_cents,
            f"TRANSFER {record.reference}",
            record.payment.request.user.display_name if record.payment else "",
        )
        for record in transfers.order_by("passed_at", "id")
    ]
    last = max(day for day, *_ in lines)
    return [*lines, *((last, cents, text, name) for cents, text, name in UNEXPLAINED)]


def _statement(lines: list[tuple[date, int, str, str]]) -> bytes:
    """The bank's own CSV, with the balance after each line."""
    file = io.StringIO(newline="")
    writer = csv.writer(file)
    writer.writerow(["Date", "Amount", "Text", "Name", "Balance"])
    balance = 0
    for day, cents, text, name in sorted(lines, key=lambda line: line[0]):
        balance += cents
        writer.writerow([day, to_decimal(cents, "usd"), text, name, to_decimal(balance, "usd")])
    return file.getvalue().encode()
