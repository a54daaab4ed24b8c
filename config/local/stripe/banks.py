"""The test bank account: a debit that takes days, and may still fail, or be returned weeks later."""

from dataclasses import dataclass

METHOD = "us_bank_account"
CURRENCY = "usd"


@dataclass(frozen=True, slots=True)
class BankAccount:
    number: str
    routing_number: str
    bank_name: str

    @property
    def last4(self) -> str:
        return self.number[-4:]


ACCOUNT = BankAccount("000123456789", "110000000", "STRIPE TEST BANK")

FAILURES = {
    "insufficient_funds": "The customer's account has insufficient funds to cover this payment.",
    "account_closed": "The customer's bank account has been closed.",
    "debit_not_authorized": "The customer has notified their bank that this payment was unauthorized.",
}


def find_account(number: str) -> BankAccount | None:
    return ACCOUNT if number.replace(" ", "").replace("-", "") == ACCOUNT.number else None
