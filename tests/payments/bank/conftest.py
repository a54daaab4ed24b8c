"""A bank account whose statements are read, and somebody of finance who imports them."""

import pytest

from payments.bank.importing import Given, import_file
from payments.models import BankAccount
from tests.support.bank import IBAN, LAYOUT


@pytest.fixture
def bank(db):
    return BankAccount.objects.create(name="House account", number=IBAN, currency="usd", layout=LAYOUT)


@pytest.fixture
def take(bank, finance):
    """Import a file of the account, as finance."""

    def imported(content, *, name="statement.csv", **given):
        return import_file(content=content, name=name, given=Given(**{"account_id": bank.pk, **given}), by=finance)

    return imported
