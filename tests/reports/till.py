"""What a provider tells in a story, given as facts with their names, fees and instants: the same in every run."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal

from payments.models import Movement, MovementKind, Payment, ProviderPayout, ProviderPayoutItem, Receipt, Refund
from payments.providers.base import (
    BankPayoutFacts,
    BankPayoutState,
    Charge,
    ChargeFacts,
    DisputeFacts,
    MovementFacts,
    RefundFacts,
    RefundPhase,
    SessionFacts,
    SessionState,
)
from payments.services.charge_state import apply_charge_facts
from payments.services.movements import apply_movement
from payments.services.provider_payouts import record_payout
from payments.services.provider_state import Source, apply_facts
from tests.factories.payments import payment_for

# What the provider keeps of a charge: 2.9 % and 30 minor units.
PER_MILLE, FLAT = 29, 30
# It is paid out after so many days.
AVAILABLE_AFTER = timedelta(days=2)
ARRIVES_AFTER = timedelta(days=4)
ANSWER_WITHIN = timedelta(days=9)


@dataclass
class Till:
    """One account at the provider. Each call is news that has come, and was looked into."""

    charges: dict[int, ChargeFacts] = field(default_factory=dict)
    nets: dict[str, int] = field(default_factory=dict)

    def opens(self, request, name: str) -> Payment:
        """The player is on the provider's page."""
        return payment_for(request, provider_reference=f"cs_{name}")

    def is_paid(
        self, payment: Payment, at: datetime, *, settles: tuple[str, str] | None = None, amount=None
    ) -> Receipt:
        """The page was paid; `settles` is the currency, and the rate, in which the provider keeps the money."""
        name = payment.provider_reference.removeprefix("cs_")
        cents = payment.amount_cents if amount is None else amount
        charge = Charge(f"ch_{name}", cents, payment.currency, at)
        session = SessionFacts(
            payment.provider_reference, str(payment.ref), SessionState.PAID, False, None, charge=charge,
            amount_cents=payment.amount_cents, currency=payment.currency,
        )  # fmt: skip
        apply_facts(payment, session, source=Source.WEBHOOK)
        receipt = Receipt.objects.get(charge_id=charge.id)
        currency, rate = (payment.currency, Decimal(1)) if settles is None else (settles[0], Decimal(settles[1]))
        kept = int(cents * rate)
        movement = self._moves(
            f"txn_{name}", MovementKind.CHARGE, kept, kept * PER_MILLE // 1000 + FLAT, currency, at,
            exchange_rate=None if settles is None else rate,
        )  # fmt: skip
        self.charges[receipt.pk] = ChargeFacts(charge, False, movement=movement)
        return self._told(receipt, at)

    def refunds(self, refund: Refund, at: datetime, *, phase=RefundPhase.SUCCEEDED) -> Refund:
        """A refund of ours was done, or is under way."""
        refund.refresh_from_db()
        name = f"{refund.receipt.charge_id.removeprefix('ch_')}_{refund.pk}"
        left = self._moves(
            f"txn_re_{name}", MovementKind.REFUND, -refund.amount_cents, 0, refund.currency, at
        )  # fmt: skip
        self._refund(refund.receipt, _refund(f"re_{name}", str(refund.ref), refund, phase, at, left), at)
        return Refund.objects.get(pk=refund.pk)

    def bounces(self, refund: Refund, at: datetime) -> Refund:
        """A refund that was done came back: the card is closed."""
        facts = next(
            one for one in self.charges[refund.receipt_id].refunds if one.reference == refund.provider_reference
        )
        back = self._moves(
            f"txn_back_{refund.pk}", MovementKind.REFUND_FAILURE, refund.amount_cents, 0, refund.currency, at
        )
        failed = replace(facts, phase=RefundPhase.FAILED, failure="expired_or_canceled_card", returned=back)
        self._refund(refund.receipt, failed, at)
        return Refund.objects.get(pk=refund.pk)

    def dashboard_refund(self, receipt: Receipt, amount: int, at: datetime) -> None:
        """Somebody gave money back past us."""
        name = receipt.charge_id.removeprefix("ch_")
        left = self._moves(f"txn_past_{name}", MovementKind.REFUND, -amount, 0, receipt.currency, at)
        facts = RefundFacts(
            f"re_past_{name}", "", receipt.charge_id, RefundPhase.SUCCEEDED, amount, receipt.currency, False, at,
            movement=left,
        )  # fmt: skip
        self._refund(receipt, facts, at)

    def disputes(self, receipt: Receipt, at: datetime, *, status="needs_response", fee=1500) -> None:
        """The player's bank takes the money back, until it is decided."""
        name = receipt.charge_id.removeprefix("ch_")
        taken = self._moves(f"txn_dp_{name}", MovementKind.DISPUTE, -receipt.amount_cents, fee, receipt.currency, at)
        facts = DisputeFacts(
            f"dp_{name}", receipt.charge_id, status, receipt.amount_cents, receipt.currency, False, "fraudulent", False,
            at, at + ANSWER_WITHIN, (taken,),
        )  # fmt: skip
        self.charges[receipt.pk] = replace(self.charges[receipt.pk], disputes=(facts,))
        self._told(receipt, at)

    def decides(self, receipt: Receipt, status: str, at: datetime) -> None:
        """The bank has decided; of a dispute that was won the money comes back."""
        (facts,) = self.charges[receipt.pk].disputes
        legs = facts.movements
        if status == "won":
            name = f"txn_won_{receipt.charge_id.removeprefix('ch_')}"
            legs += (self._moves(name, MovementKind.DISPUTE_REVERSAL, receipt.amount_cents, 0, receipt.currency, at),)
        decided = replace(facts, status=status, movements=legs)
        self.charges[receipt.pk] = replace(self.charges[receipt.pk], disputes=(decided,))
        self._told(receipt, at)

    def pays_out(
        self, name: str, currency: str, at: datetime, *, amount: int = 0, of: Sequence[Receipt] = (), trace_id: str = ""
    ) -> ProviderPayout:
        """The provider sends money to our bank: what these receipts brought, or (by somebody's hand) an amount."""
        items = Movement.objects.filter(receipt__in=of, kind=MovementKind.CHARGE).order_by("pk")
        cents = amount or sum(items.values_list("net_cents", flat=True))
        apply_movement(
            self._moves(f"txn_{name}", MovementKind.PAYOUT, -cents, 0, currency, at), provider="stripe", livemode=False
        )
        payout = record_payout(
            BankPayoutFacts(
                name, BankPayoutState.PAID, cents, currency, False, at + ARRIVES_AFTER, trace_id=trace_id,
                is_automatic=bool(of), is_itemised=bool(of), made_at=at,
            ),
            provider="stripe",
        )  # fmt: skip
        for item in items:
            ProviderPayoutItem.objects.create(payout=payout, movement=item)
        return payout

    def adjusts(self, name: str, currency: str, amount: int, at: datetime) -> None:
        """A movement that no rule explains."""
        moved = replace(self._moves(f"txn_{name}", MovementKind.OTHER, amount, 0, currency, at), category="adjustment")
        apply_movement(moved, provider="stripe", livemode=False)

    def _refund(self, receipt: Receipt, facts: RefundFacts, at: datetime) -> None:
        known = self.charges[receipt.pk]
        others = tuple(one for one in known.refunds if one.reference != facts.reference)
        self.charges[receipt.pk] = replace(known, refunds=(*others, facts))
        self._told(receipt, at)

    def _told(self, receipt: Receipt, at: datetime) -> Receipt:
        return apply_charge_facts(
            receipt_id=receipt.pk, facts=self.charges[receipt.pk], asked_at=at, source=Source.WEBHOOK
        )

    def _moves(self, reference, kind, amount, fee, currency, at, *, exchange_rate=None) -> MovementFacts:
        self.nets[currency] = self.nets.get(currency, 0) + amount - fee
        return MovementFacts(
            reference, kind, str(kind), amount, fee, currency, at, at + AVAILABLE_AFTER, exchange_rate
        )  # fmt: skip


def _refund(reference, ref, refund: Refund, phase, at, movement) -> RefundFacts:
    return RefundFacts(
        reference, ref, refund.receipt.charge_id, phase, refund.amount_cents, refund.currency, False, at,
        movement=None if phase is RefundPhase.PENDING else movement,
    )  # fmt: skip
