"""Movements of our balance at a provider: each is written down once, and booked in the same transaction.

What the provider keeps is booked as it says, never computed. Where it settles in another currency than it charged, the
books hold both sides of the exchange, one in each currency. A movement that no rule explains goes to suspense, and
before a person: nothing is guessed.
"""

from django.db import transaction

from config.audit import attribute
from config.errors import Code, Conflict
from config.money import format_amount
from config.phrases import phrase
from payments.ledger import rules
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import DiscrepancyKind, Dispute, Movement, MovementKind, Payout, Receipt, Refund
from payments.providers import provider_named
from payments.providers.base import BankPayoutFacts, BankPayoutState, MovementFacts
from payments.services.discrepancies import raise_discrepancy, raise_once
from payments.services.provider_payouts import record_payout

OF_REFUNDS = (MovementKind.REFUND, MovementKind.REFUND_FAILURE)
OF_DISPUTES = (MovementKind.DISPUTE, MovementKind.DISPUTE_REVERSAL)
OF_PRIZES = (MovementKind.TRANSFER, MovementKind.TRANSFER_REVERSAL)
OF_PAYOUTS = (MovementKind.PAYOUT, MovementKind.PAYOUT_REVERSAL)


class WrongMode(Conflict):
    """Test money where real money is meant, or the other way: nothing of it is written down."""

    def __init__(self, what: str) -> None:
        super().__init__(
            Code.INVALID_TRANSITION, phrase("{what} is of the other mode than this provider's key.", what=what)
        )


@transaction.atomic
def apply_movement(
    facts: MovementFacts,
    *,
    provider: str,
    livemode: bool,
    receipt: Receipt | None = None,
    refund: Refund | None = None,
    dispute: Dispute | None = None,
    payout: Payout | None = None,
) -> bool:
    """Write a movement down and book it; whether it is new. One that is known changes nothing.

    `receipt`, `refund`, `dispute` or `payout` say what it belongs to. Of a charge, a refund and a prize the main leg is
    booked by who booked the money itself; here only the fee, the exchange, and what does not agree.
    """
    of = receipt or (refund.receipt if refund is not None else None)
    _, is_new = Movement.objects.get_or_create(
        provider=provider,
        reference=facts.reference,
        defaults={
            "livemode": livemode,
            "kind": facts.kind,
            "category": facts.category[:60],
            "amount_cents": facts.amount_cents,
            "fee_cents": facts.fee_cents,
            "net_cents": facts.net_cents,
            "currency": facts.currency,
            "exchange_rate": facts.exchange_rate,
            "receipt": of,
            "refund": refund,
            "dispute": dispute,
            "payout": payout,
            "occurred_at": facts.occurred_at,
            "available_at": facts.available_at,
        },
    )
    if is_new:
        _Booking(facts, provider, livemode).book(of, refund, dispute, payout)
    return is_new


def apply_payout_state(*, provider: str, reference: str) -> BankPayoutFacts:
    """Learn what became of a provider's payout to our bank, and book it; one that came back is put before a person.

    Raises `ProviderError`; refuses one of the other mode (`WrongMode`). Twice is as good as once.
    """
    adapter = provider_named(provider)
    facts = adapter.fetch_payout(reference)
    if facts.livemode != adapter.livemode:
        raise WrongMode(f"Payout {reference}")
    with transaction.atomic(durable=True):
        attribute(reason=f"payout {reference} is {facts.state}")
        for leg in facts.movements:
            apply_movement(leg, provider=provider, livemode=facts.livemode)
        record_payout(facts, provider=provider)
        if facts.state is BankPayoutState.FAILED:
            raise_once(
                kind=DiscrepancyKind.PAYOUT_FAILED,
                object_key=f"payout:{provider}:{reference}",
                sentence=f"The payout {reference} to our bank came back: {facts.failure or 'no reason given'}.",
                suggestion="Correct the bank account at the provider; the money waits in the balance there.",
                details={"amount_cents": facts.amount_cents, "currency": facts.currency},
            )
    return facts


class _Booking:
    """What the ledger is told of one movement."""

    def __init__(self, facts: MovementFacts, provider: str, livemode: bool) -> None:
        self.facts = facts
        self.provider = provider
        self.livemode = livemode

    def book(
        self, receipt: Receipt | None, refund: Refund | None, dispute: Dispute | None, payout: Payout | None
    ) -> None:
        kind = self.facts.kind
        if kind in OF_PAYOUTS:
            self._fee()
            post(rules.provider_payout(*self._name, self._sum(-self.facts.amount_cents)))
        elif kind == MovementKind.CHARGE and receipt is not None:
            self._fee()
            self._against(receipt.amount_cents, receipt.currency)
        elif kind in OF_REFUNDS and refund is not None:
            self._fee()
            self._against(self._signed(refund.amount_cents), refund.currency)
        elif kind in OF_PRIZES and payout is not None:
            self._fee()
            self._against(
                -payout.net_cents if kind == MovementKind.TRANSFER else self.facts.amount_cents, payout.currency
            )
        elif kind in OF_DISPUTES and dispute is not None:
            self._dispute(dispute)
        else:
            self._unexplained(self.facts.net_cents)

    @property
    def _name(self) -> tuple[str, str]:
        return self.provider, self.facts.reference

    def _sum(self, amount: int, currency: str = "") -> Sum:
        return Sum(amount, currency or self.facts.currency, self.livemode, self.facts.occurred_at)

    def _signed(self, amount: int) -> int:
        return amount if self.facts.amount_cents > 0 else -amount

    def _fee(self) -> None:
        post(rules.fee_taken(*self._name, self._sum(self.facts.fee_cents)))

    def _against(self, booked: int, currency: str) -> None:
        """What was booked in `currency` came, or left, as this movement."""
        if self.facts.currency != currency:
            self._exchange(booked, currency)
        elif self.facts.amount_cents != booked:
            self._unexplained(self.facts.amount_cents - booked)

    def _exchange(self, booked: int, currency: str) -> None:
        ours, theirs = self._sum(booked, currency), self._sum(self.facts.amount_cents)
        if booked < 0:
            ours, theirs = self._sum(-self.facts.amount_cents), self._sum(-booked, currency)
        for draft in rules.converted(*self._name, ours, theirs):
            post(draft)

    def _dispute(self, dispute: Dispute) -> None:
        """Its fee is no ordinary one. In another currency it is an entry of its own."""
        is_same = self.facts.currency == dispute.currency
        amount = self.facts.amount_cents if is_same else self._signed(dispute.amount_cents)
        fee = self.facts.fee_cents if is_same else 0
        if self.facts.kind == MovementKind.DISPUTE:
            post(rules.dispute_withdrawn(*self._name, fee, self._sum(-amount, dispute.currency)))
        else:
            post(rules.dispute_reinstated(*self._name, -fee, self._sum(amount, dispute.currency)))
        if not is_same:
            self._exchange(amount, dispute.currency)
            post(rules.dispute_fee_taken(*self._name, self._sum(self.facts.fee_cents)))

    def _unexplained(self, amount: int) -> None:
        post(rules.unexplained(*self._name, self._sum(amount)))
        raise_discrepancy(
            kind=DiscrepancyKind.UNKNOWN_MOVEMENT,
            object_key=f"movement:{self.provider}:{self.facts.reference}",
            sentence=f"The balance moved by {format_amount(amount, self.facts.currency)} in {self.facts.reference}"
            f" ({self.facts.category}), and nothing booked says why.",
            suggestion="Find out at the provider what it was; it lies in suspense until then.",
            details={
                "amount_cents": self.facts.amount_cents,
                "fee_cents": self.facts.fee_cents,
                "unexplained_cents": amount,
                "currency": self.facts.currency,
            },
            theirs={
                "amount_cents": self.facts.amount_cents,
                "fee_cents": self.facts.fee_cents,
                "currency": self.facts.currency,
                "category": self.facts.category,
            },
            amount_cents=amount,
            currency=self.facts.currency,
        )
