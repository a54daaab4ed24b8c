"""From each thing of money to the pages of the others: what a doubt is about, what was booked for it, and back.

Keys (`refund:3`, `charge:stripe:ch_1`) and the journal's sources are names, not foreign keys. A way is made of the name
alone and asks nothing: to the page of a row whose number it has, else to the list with that row.
"""

from collections.abc import Iterable
from typing import Any
from urllib.parse import urlencode

from django.db.models import Q
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.phrases import shown_amount
from config.words import spoken, status_of
from entries.admin.links import linked
from payments.ledger.models import JournalEntry
from payments.models import Dispute, Receipt, Refund

# By number: the page of the row.
ROWS = {
    "receipt": "payments_receipt",
    "refund": "payments_refund",
    "dispute": "payments_dispute",
    "payout": "payments_payout",
    "webhook": "payments_webhookevent",
    "discrepancy": "payments_discrepancy",
    "bank_line": "payments_bankline",
    "bank_statement": "payments_bankstatement",
    "request": "entries_request",
    "entry": "payments_entrymoney",
    "pool": "pools_pool",
}
# By a name of ours or of the provider: the list, and its column.
NAMES = {
    "charge": ("payments_receipt", "charge_id"),
    "movement": ("payments_movement", "reference"),
    "session": ("payments_payment", "provider_reference"),
    "payment": ("payments_payment", "ref"),
    "refund": ("payments_refund", "ref"),
    "provider_refund": ("payments_refund", "provider_reference"),
    "dispute": ("payments_dispute", "provider_reference"),
    "payout": ("payments_payout", "ref"),
    "provider_payout": ("payments_providerpayout", "reference"),
    "bank_match": ("payments_bankline", "matches__id"),
}
LISTS = {
    "webhooks": "payments_webhookrefusal",
    "balance": "payments_account",
    "books": "payments_journalentry",
    "tie_out": "payments_reconciliationrun",
}

Source = tuple[str, str]


def way_to(kind: str, name: object) -> str:
    """The address of what is called so; nothing where there is no page for it."""
    first, _, rest = str(name).partition(":")
    if kind == "payout" and rest:
        # A prize has a number or a name of ours; of a provider's payout to the bank, the provider is said first.
        kind = "provider_payout"
    if kind == "refund" and rest and not first.isdecimal():
        # One that is not here, or was not when it was met: by the provider's own name.
        kind = "provider_refund"
    if kind in ROWS and first.isdecimal():
        return reverse(f"admin:{ROWS[kind]}_change", args=[first])
    if kind in NAMES and name:
        page, column = NAMES[kind]
        # Names of a provider stand behind its own.
        return f"{reverse(f'admin:{page}_changelist')}?{urlencode({column: rest or first})}"
    return reverse(f"admin:{LISTS[kind]}_changelist") if kind in LISTS else ""


def way(kind: str, name: object, text: str = "") -> SafeString | str:
    """A link to it; its words alone where there is no page."""
    address, words = way_to(kind, name), text or f"{spoken(kind)} {name}"
    return linked(address, words) if address else words


def way_of_key(key: str) -> SafeString | str:
    """The same for the key of a discrepancy."""
    kind, _, name = key.partition(":")
    return way(kind, name, key if ":" in name else f"{spoken(kind)} {name}")


def ways(facts: dict[str, str]) -> SafeString:
    """Facts in words, one a line; those that name a row lead there."""
    return format_html_join("", "<div>{}</div>", ((_fact(name, value),) for name, value in facts.items()))


def _fact(name: str, value: str) -> SafeString:
    if name in ROWS and value.isdecimal():
        return format_html("{}", way(name, value))
    return format_html("{}: {}", name, value)


def refunds_of(receipt: Receipt) -> SafeString:
    """Each refund of it."""
    return _lines(
        way("refund", row.pk, f"{shown_amount(row.amount_cents, row.currency)}, {status_of(row)}")
        for row in receipt.refunds.order_by("pk")
    )


def disputes_of(receipt: Receipt) -> SafeString:
    """Each dispute of it."""
    return _lines(
        way("dispute", row.pk, f"{shown_amount(row.amount_cents, row.currency)}, {status_of(row)}")
        for row in receipt.disputes.order_by("pk")
    )


def journal_of(sources: Iterable[Source]) -> SafeString:
    """What was booked for these, in one query."""
    wanted = Q()
    for source_type, source_id in sources:
        wanted |= Q(source_type=source_type, source_id=source_id)
    entries = JournalEntry.objects.filter(wanted).order_by("pk") if wanted else JournalEntry.objects.none()
    return _lines(
        format_html(
            "{} {}, {}",
            f"{entry.finance_date:%Y-%m-%d}",
            linked(reverse("admin:payments_journalentry_change", args=[entry.pk]), spoken(entry.event)),
            entry.source_type,
        )
        for entry in entries
    )


def sources_of_receipt(receipt: Receipt) -> list[Source]:
    """The charge, what became of it, and what moved because of it."""
    return [
        ("charge", f"{receipt.provider}:{receipt.charge_id}"),
        ("receipt", str(receipt.pk)),
        *(("refund", str(ref)) for ref in receipt.refunds.values_list("ref", flat=True)),
        *_movements(receipt),
        *(source for dispute in receipt.disputes.all() for source in _dispute(dispute)),
    ]


def sources_of_refund(refund: Refund) -> list[Source]:
    """The refund, and what moved because of it."""
    return [("refund", str(refund.ref)), *_movements(refund)]


def sources_of_dispute(dispute: Dispute) -> list[Source]:
    """The dispute, and what moved because of it."""
    return [*_dispute(dispute), *_movements(dispute)]


def _dispute(dispute: Dispute) -> list[Source]:
    return [("dispute", dispute.journal_name)]


def _movements(row: Any) -> list[Source]:
    return [("movement", f"{provider}:{ref}") for provider, ref in row.movements.values_list("provider", "reference")]


def _lines(rows: Iterable[SafeString | str]) -> SafeString:
    return format_html_join("", "<div>{}</div>", ((row,) for row in rows))
