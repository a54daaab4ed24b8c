"""A row of what banks and providers say of money on its way to the house."""

from datetime import date

from payments.bank.deciding import Choice, match_by_hand
from payments.bank.importing import Given, import_file
from payments.models import BankAccount, BankLine, ManualRecord, Movement, ProviderPayout, ProviderPayoutItem
from tests.factories.accounts import FinanceFactory
from tests.support.bank import LAYOUT, csv_of


def build() -> None:
    """Two payouts, one of them with an item; a statement with a line of each kind, and one that waits."""
    who = FinanceFactory()
    given = {"provider": "stripe", "livemode": False, "status": "paid", "arrives_on": date(2026, 3, 2)}
    payout = ProviderPayout.objects.create(**given, reference="po_1", amount_cents=4825, currency="usd")
    ProviderPayout.objects.create(**given, reference="po_2", amount_cents=100, currency="eur")
    ProviderPayoutItem.objects.create(payout=payout, movement=Movement.objects.filter(currency="usd").first())
    account = BankAccount.objects.create(name="House", number="1234567", currency="usd", layout=LAYOUT)
    record = ManualRecord.objects.filter(status="confirmed", payment__isnull=False, currency="usd").first()
    content = csv_of(
        ("2026-03-02", "STRIPE", 4825, 4825),
        ("2026-03-30", "Deposit", record.amount_cents, 4825 + record.amount_cents),
        ("2026-03-31", "Nobody knows", 1, 4826 + record.amount_cents),
    )
    import_file(content=content, name="march.csv", given=Given(account_id=account.pk), by=who)
    deposit = BankLine.objects.get(text="Deposit")
    match_by_hand(line_id=deposit.pk, choice=Choice(record_ids=(record.pk,)), by=who, reason="The slip.")
