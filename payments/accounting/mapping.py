"""Which account of the other program a sum goes to: the mapping that says most of it."""

import re
from collections.abc import Iterable

from django.db import transaction

from accounts.models import User
from config.audit import attribute
from config.cells import RISKY
from config.errors import Code, Conflict, invalid
from config.money import CURRENCIES
from payments.accounting.days import Summed
from payments.accounting.journals import Their
from payments.ledger.accounts import Kind
from payments.models import AccountingSystem, AccountMapping
from payments.models.accounting import EXTERNAL_NAME


class NotMapped(Conflict):
    """Something is to be exported, and nobody has said to which account of the other program."""

    def __init__(self, system: AccountingSystem, accounts: list[str]) -> None:
        named = ", ".join(accounts)
        message = f"{system.label} has no account for {named}. Map them first; nothing was exported."
        super().__init__(Code.ACCOUNT_NOT_MAPPED, message, {"accounts": accounts})


def theirs_for(system: AccountingSystem, sums: Iterable[Summed]) -> dict[tuple[Kind, str, str], Their]:
    """Kind, provider and currency of each sum → their account. Raises `NotMapped` with all that nobody has mapped."""
    mapped = {
        (row.kind, row.provider, row.currency): Their(row.account, row.tax_rate)
        for row in AccountMapping.objects.filter(system=system)
    }
    found: dict[tuple[Kind, str, str], Their] = {}
    missing: dict[str, None] = {}
    for kind, provider, currency in dict.fromkeys((one.kind, one.provider, one.currency) for one in sums):
        # Of its provider before its currency: another bank matters more than another denomination.
        ways = ((provider, currency), (provider, ""), ("", currency), ("", ""))
        their = next((mapped[key] for way in ways if (key := (str(kind), *way)) in mapped), None)
        if their is None:
            missing[f"{kind.label}{f' of {provider}' if provider else ''} ({currency.upper()})"] = None
        else:
            found[kind, provider, currency] = their
    if missing:
        raise NotMapped(system, [*missing])
    return found


@transaction.atomic
def map_account(
    *,
    system: AccountingSystem,
    kind: Kind,
    provider: str = "",
    currency: str = "",
    account: str,
    tax_rate: str = "Tax Exempt",
    by: User,
) -> AccountMapping:
    """Say which account of theirs a kind of ours is, from the next batch on; what was exported stays as it is.

    Refuses, naming the field, a name that a spreadsheet would run, no tax rate for Xero, and what is no currency.
    """
    account, tax_rate, currency = account.strip(), tax_rate.strip(), currency.lower()
    if not _is_harmless(account):
        raise invalid("account", "Needs a name or code; it must not begin like a formula, nor have more than one line.")
    if not _is_harmless(tax_rate) and (tax_rate or system == AccountingSystem.XERO):
        raise invalid("tax_rate", "Xero wants a tax rate, as it is called there.")
    if currency and currency not in CURRENCIES:
        raise invalid("currency", "This is not the code of a currency.")
    attribute(by=by, reason="mapped")
    row, _ = AccountMapping.objects.update_or_create(
        system=system, kind=kind, provider=provider, currency=currency,
        defaults={"account": account, "tax_rate": tax_rate},
    )  # fmt: skip
    return row


@transaction.atomic
def unmap_account(*, mapping_id: int, by: User) -> None:
    """Take a row of the mapping away. Its history stays."""
    attribute(by=by, reason="taken away")
    AccountMapping.objects.filter(pk=mapping_id).delete()


def _is_harmless(name: str) -> bool:
    """Neither at its beginning nor behind a separator does a spreadsheet find a formula in it."""
    return re.match(EXTERNAL_NAME, name) is not None and RISKY.search(name) is None
