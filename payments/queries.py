"""Questions about payments, answered without changing anything."""

from collections import defaultdict
from collections.abc import Collection
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db.models import (
    BigIntegerField,
    Case,
    Count,
    Exists,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Sum,
    TextChoices,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Coalesce, JSONObject

from accounts.models import User
from entries.models import Entry, EntryStatus, Request
from entries.services.imports.land import WAIVER_REASON
from payments.models import (
    BankMatch,
    Dispute,
    DisputeState,
    Payment,
    PaymentState,
    Payout,
    ProviderPayout,
    ProviderPayoutItem,
    Receipt,
    ReceiptState,
    Refund,
)
from payments.models.payment import LIVE_STATES


class ShownStatus(TextChoices):
    """What a caller is told: how a payment that has not ended stands at the provider is our own business."""

    PENDING = "pending"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


STATES_SHOWN_AS = {
    ShownStatus.PENDING: LIVE_STATES,
    ShownStatus.SUCCEEDED: (PaymentState.SUCCEEDED,),
    ShownStatus.FAILED: (PaymentState.FAILED,),
    ShownStatus.CANCELLED: (PaymentState.CANCELLED,),
}
SHOWN = {state: shown for shown, states in STATES_SHOWN_AS.items() for state in states}


def shown_status(payment: Payment) -> ShownStatus:
    """How the payment stands, as a caller is told."""
    return SHOWN[PaymentState(payment.status)]


class MoneySource(TextChoices):
    """Where the money of a place, or of a return, is."""

    RECEIPT = "receipt", "Receipt"
    WAIVER = "waiver", "Waived"
    IMPORT = "import", "Paid elsewhere"
    FREE = "free", "Free"
    NONE = "none", "Without money"


def visible_payments(viewer: User) -> QuerySet[Payment]:
    """The payments that are there for this person: their own, and for who sees money everybody's."""
    return with_refunds(Payment.objects.all() if viewer.sees_money else Payment.objects.of(viewer.pk))


def with_refunds(payments: QuerySet[Payment]) -> QuerySet[Payment]:
    """Add `refunded_cents`: what of the payment's money has really gone back, and has not come back to us."""
    gone = (
        Refund.objects.gone()
        .filter(receipt__payment=OuterRef("pk"))
        .order_by()
        .values("receipt__payment")
        .annotate(total=Sum("amount_cents"))
        .values("total")
    )
    return payments.annotate(refunded_cents=Coalesce(Subquery(gone), 0))


def with_bank(payouts: QuerySet[ProviderPayout]) -> QuerySet[ProviderPayout]:
    """Add `item_count`, what of a provider's payout is known here, and `is_in_bank`: a line of a statement is it."""
    items = ProviderPayoutItem.objects.filter(payout=OuterRef("pk")).order_by().values("payout")
    lines = BankMatch.objects.filter(payout=OuterRef("pk"), undone_at=None, amount_cents__gt=0)
    back = BankMatch.objects.filter(payout=OuterRef("pk"), undone_at=None, amount_cents__lt=0)
    return payouts.annotate(
        item_count=Coalesce(Subquery(items.annotate(count=Count("pk")).values("count")), 0),
        is_in_bank=Case(When(amount_cents__gt=0, then=Exists(lines) & ~Exists(back)), default=Exists(back)),
    )


def with_money(entries: QuerySet[Any]) -> QuerySet[Any]:
    """Add `receipt`, the money of the entry's own request as facts, or None; and `money_source`.

    Whatever else becomes of a void entry's money, it stays the money that it came from.
    """
    # Not those of its returns, which have requests of their own.
    own = Receipt.objects.filter(payment__request=OuterRef("request_id"))
    facts = JSONObject(
        id="id", status="status", amount_cents="amount_cents", currency="currency", provider="provider",
        charge_id="charge_id",
    )  # fmt: skip
    first = Case(When(status=ReceiptState.ALLOCATED, then=Value(0)), default=Value(1))
    pays = Exists(own.filter(status=ReceiptState.ALLOCATED, entry=OuterRef("pk"))) | Q(
        status=EntryStatus.VOID
    ) & Exists(own)
    found: QuerySet[Any] = entries.annotate(
        receipt=Subquery(own.order_by(first, "-id").annotate(facts=facts).values("facts")[:1]),
        money_source=Case(
            When(pays, then=Value(MoneySource.RECEIPT)),
            *_without_receipt("request__"),
            default=Value(MoneySource.NONE),
        ),
    )
    return found


def returns_with_money(entry: Entry) -> QuerySet[Any]:
    """The returns that were bought for the entry, each with its `receipt_id` and `money_source`."""
    own = Receipt.objects.filter(payment__request=OuterRef("pk"), entry=entry).order_by("-id")
    found: QuerySet[Any] = (
        Request.objects.filter(bought_entry=entry, reprieve__isnull=False)
        .select_related("waived_by")
        .annotate(
            receipt_id=Subquery(own.values("pk")[:1]),
            money_source=Case(
                When(Exists(own), then=Value(MoneySource.RECEIPT)),
                *_without_receipt(""),
                default=Value(MoneySource.NONE),
            ),
        )
        .order_by("pk")
    )
    return found


def _without_receipt(request: str) -> tuple[When, ...]:
    """What stands in for money, by the fields of the request that `request` leads to."""
    waived = {f"{request}waived_by__isnull": False}
    return (
        # Whoever approved it stands beside a free place as well.
        When(Q(**{f"{request}fee_cents": 0}), then=Value(MoneySource.FREE)),
        When(Q(**waived, **{f"{request}waiver_reason": WAIVER_REASON}), then=Value(MoneySource.IMPORT)),
        When(Q(**waived), then=Value(MoneySource.WAIVER)),
    )


# The entries that won what a payout is of, by its booking.
WINNING_ENTRIES = """ARRAY(
    SELECT e.id FROM payments_prizebooking b JOIN entries_entry e ON e.pool_id = b.pool_id
    WHERE b.id = payments_payout.booking_id AND e.user_id = payments_payout.player_id AND b.prizes ? e.id::text
    ORDER BY e.id
)"""


def with_entries(payouts: QuerySet[Payout]) -> QuerySet[Payout]:
    """Add `entry_ids`: the entries that won what the payout is of, by the booking that it was asked for under."""
    return payouts.annotate(entry_ids=RawSQL(WINNING_ENTRIES, (), ArrayField(BigIntegerField())))


def money_in_numbers(user_ids: Collection[int]) -> dict[int, dict[str, int]]:
    """Of each player how many payments, refunds and disputes there were: numbers, and no amounts. In three queries."""
    owner = "receipt__payment__request__user"
    succeeded, failed = Q(status=PaymentState.SUCCEEDED), Q(status=PaymentState.FAILED)
    lost = Q(status=DisputeState.LOST)
    payments = Payment.objects.filter(request__user__in=user_ids).order_by().values_list("request__user")
    refunds = Refund.objects.gone().filter(**{f"{owner}__in": user_ids}).order_by().values_list(owner)
    disputes = Dispute.objects.filter(**{f"{owner}__in": user_ids}).order_by().values_list(owner)
    found: dict[int, dict[str, int]] = defaultdict(dict)
    for labels, rows in (
        (
            ("payments", "payments failed"),
            payments.annotate(paid=Count("pk", filter=succeeded), failures=Count("pk", filter=failed)),
        ),
        (("refunds",), refunds.annotate(number=Count("pk"))),
        (("disputes", "disputes lost"), disputes.annotate(number=Count("pk"), losses=Count("pk", filter=lost))),
    ):
        for user_id, *counts in rows:
            found[user_id] |= {label: count for label, count in zip(labels, counts, strict=True) if count}
    return found
