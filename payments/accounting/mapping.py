"""Which account of the other program a sum goes to: the mapping that says most of it."""

from collections.abc import Iterable

from config.errors import invalid
from payments.accounting.days import Summed
from payments.accounting.journals import Their
from payments.ledger.accounts import Kind
from payments.models import AccountingSystem, AccountMapping


def theirs_for(system: AccountingSystem, sums: Iterable[Summed]) -> dict[tuple[Kind, str, str], Their]:
    """Kind, provider and currency of each sum → their account. Refuses, naming them all, what nobody has mapped."""
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
        named = ", ".join(missing)
        raise invalid("mapping", f"{system.label} has no account for {named}. Map them first; nothing was exported.")
    return found
