"""What lies in the books because of a row of the queue: money that moved and that no rule could explain."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet, Sum

from config.locks import advisory_lock
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.models import Posting
from payments.models import (
    Discrepancy,
    DiscrepancyKind,
    ForeignObject,
    ForeignState,
    Receipt,
    WriteOff,
    WriteOffState,
)


@dataclass(frozen=True, slots=True)
class Stake:
    """So much (debits positive) lies on this account, and would be cleared off it."""

    account: AccountName
    amount: int
    currency: str
    livemode: bool


def stake_of(row: Discrepancy) -> Stake | None:
    """What lies there because of the row, less what was cleared before; None where nothing does.

    A movement that no rule explains lies in suspense. Money of a payment whose request is gone is unallocated, and
    stands in no receipt.
    """
    provider, name = _named(row)
    if not provider or not name:
        return None
    if row.object_key.startswith("movement:"):
        lines = _lines("movement", f"{provider}:{name}", Kind.SUSPENSE)
        return _rest(Q(object_key=row.object_key), lines, AccountName(Kind.SUSPENSE, provider=provider))
    charge = _charge_of(row)
    if charge and not Receipt.objects.filter(provider=provider, charge_id=charge).exists():
        lines = _lines("charge", f"{provider}:{charge}", Kind.UNALLOCATED)
        return _rest(_about_charge(provider, charge), lines, AccountName(Kind.UNALLOCATED))
    return None


def clear_alone() -> None:
    """Nobody else clears anything until this transaction ends: two rows can be about the same money."""
    advisory_lock("stakes")


def _named(row: Discrepancy) -> tuple[str, str]:
    """The provider and the name of what the row is about: `charge:stripe:ch_1` is of stripe, and ch_1."""
    _, provider, name = (*row.object_key.split(":", 2), "", "")[:3]
    return provider, name


def _charge_of(row: Discrepancy) -> str:
    """The charge behind it: its own, or the one that the provider named for a payment that is not here."""
    if row.object_key.startswith("charge:"):
        return _named(row)[1]
    if not row.object_key.startswith("payment:"):
        return ""
    told: Any = row.details.get("charge")
    if told:
        return str(told.get("id", "")) if isinstance(told, Mapping) else str(told)
    kind, _, name = str(row.details.get("target", "")).partition(":")
    return name if kind == "charge" else ""


def _about_charge(provider: str, charge: str) -> Q:
    """Rows about the money of a charge that is not here: by its own name, and by that of its payment."""
    named = Q(details__charge=charge) | Q(details__charge__id=charge) | Q(details__target=f"charge:{charge}")
    by_payment = named & Q(object_key__startswith=f"payment:{provider}:")
    return Q(kind=DiscrepancyKind.MISSING_LOCALLY) & (by_payment | Q(object_key=f"charge:{provider}:{charge}"))


def _lines(source_type: str, source_id: str, kind: Kind) -> QuerySet[Posting]:
    return Posting.objects.filter(
        journal_entry__source_type=source_type, journal_entry__source_id=source_id, account__kind=kind
    )


def _rest(rows: Q, lines: QuerySet[Posting], account: AccountName) -> Stake | None:
    found = list(lines.values("currency_id", "livemode").annotate(total=Sum("amount")).order_by())
    if len(found) != 1:
        # Nothing; or a movement that lies there in two currencies, which nobody clears with one word.
        return None
    amount = found[0]["total"] - _cleared(Discrepancy.objects.filter(rows))
    return Stake(account, amount, found[0]["currency_id"], found[0]["livemode"]) if amount else None


def _cleared(rows: QuerySet[Discrepancy]) -> int:
    gone = WriteOff.objects.filter(discrepancy__in=rows, status=WriteOffState.APPROVED)
    marks = ForeignObject.objects.filter(discrepancy__in=rows, status=ForeignState.FOREIGN)
    sums = (rows.aggregate(total=Sum("amount_cents"))["total"] or 0 for rows in (gone, marks))
    return sum(sums)
