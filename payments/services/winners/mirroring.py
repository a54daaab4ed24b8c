"""The one routine that applies what a provider says of a prize's transfer to its winner.

The answer to our own call, webhooks, the sweep, the feed and the admin's button all end here. Doing it again changes
nothing: a payout moves along its map, and each movement is in the books once.
"""

from django.conf import settings
from django.db import transaction

from config.audit import attribute
from config.clock import ClockTimestamp, database_now
from payments.models import CorrectionKind, CorrectionState, Payout, PayoutState, PrizeCorrection
from payments.models.payout import PAYOUTS_UNDER_WAY
from payments.providers import provider_named
from payments.providers.base import MovementFacts, TransferFacts
from payments.providers.faults import ProviderError
from payments.refs import read_ref
from payments.services.movements import WrongMode, apply_movement
from payments.services.winners.locking import lock_payout
from payments.services.winners.outcomes import book_paid, book_returned, doubt_payout, fresh
from payments.services.winners.overpaid import book_correction, note_overpaid


class WrongTransfer(ProviderError):
    """An answer about something else than was asked: not our prize, not to our winner, or money of the other mode."""


def apply_transfer(*, provider: str, reference: str, source: str = "the feed") -> Payout | None:
    """Learn what became of a transfer, and apply it; None where it is no payout of ours.

    Raises `ProviderError`; refuses one of the other mode (`WrongMode`).
    """
    adapter = provider_named(provider)
    facts = adapter.fetch_transfer(reference)
    payout_id = _ours(provider, facts)
    if payout_id is None:
        return None
    if facts.livemode != adapter.livemode:
        raise WrongMode(f"Transfer {reference}")
    return apply_transfer_facts(payout_id=payout_id, facts=facts, source=source)


@transaction.atomic(durable=True)
def apply_transfer_facts(*, payout_id: int, facts: TransferFacts, source: str) -> Payout:
    """Bring the payout to where the provider has it, and the books with it.

    Refuses (`WrongTransfer`) an answer of another amount, currency, mode or destination, and a second transfer of one
    payout: nothing is booked as this prize, and one that stays under way is put before a person.
    """
    payout, _ = lock_payout(payout_id)
    _check(payout, facts)
    attribute(reason=f"the provider's state, learned by {source}")
    at = facts.created_at if facts.movement is None else facts.movement.occurred_at
    if payout.status in PAYOUTS_UNDER_WAY:
        payout = book_paid(payout, at=at, reference=facts.reference)
    if payout.status not in (PayoutState.PAID, PayoutState.RETURNED):
        return payout
    if facts.movement is not None:
        apply_movement(facts.movement, provider=payout.provider, livemode=payout.livemode, payout=payout)
    _take_back(payout, facts)
    Payout.objects.filter(pk=payout.pk).update(checked_at=ClockTimestamp())
    return fresh(payout)


@transaction.atomic(durable=True)
def fail_payout(*, payout_id: int, why: str) -> Payout:
    """The provider refused it for good, and nothing has moved: the prize stays owed, and a person is told."""
    payout, _ = lock_payout(payout_id)
    if payout.status not in PAYOUTS_UNDER_WAY:
        return payout
    attribute(reason="refused by the provider")
    payout.move_to(PayoutState.FAILED)
    payout.failure = why[:200]
    payout.save(update_fields=["status", "failure"])
    doubt_payout(
        payout,
        f"was refused by {payout.provider}: {why}",
        "Look at the balance and the winner's account there; then ask for another payout, the same way or by hand.",
    )
    return fresh(payout)


def _ours(provider: str, facts: TransferFacts) -> int | None:
    """By the provider's name for it, else by ours, if it bears the mark of this environment."""
    known = Payout.objects.filter(provider=provider)
    by_name = known.filter(provider_reference=facts.reference).values_list("pk", flat=True).first()
    ref = read_ref(facts.ref)
    if by_name is not None or ref is None or facts.env not in ("", settings.OUTLAST_ENV):
        return by_name
    return known.filter(ref=ref).values_list("pk", flat=True).first()


def _check(payout: Payout, facts: TransferFacts) -> None:
    """Nothing is taken for a payout that is not what it asked for."""
    agreed = (facts.livemode, facts.currency, facts.amount_cents, facts.destination)
    if agreed != (payout.livemode, payout.currency, payout.net_cents, payout.destination):
        raise WrongTransfer(f"transfer {facts.reference} is not what payout {payout.pk} asked for")
    if payout.provider_reference not in ("", facts.reference):
        raise WrongTransfer(f"payout {payout.pk} is transfer {payout.provider_reference}, not {facts.reference}")


def _take_back(payout: Payout, facts: TransferFacts) -> None:
    """What came back of it: all of it returns the payout, a part is owed again by itself."""
    for leg in facts.returned:
        apply_movement(leg, provider=payout.provider, livemode=payout.livemode, payout=payout)
    if payout.status != PayoutState.PAID:
        return
    if facts.reversed_cents >= facts.amount_cents:
        at = facts.returned[-1].occurred_at if facts.returned else database_now()
        book_returned(payout, at=at, why=f"reversed at {payout.provider}")
        return
    known = set(payout.corrections.exclude(reference="").values_list("reference", flat=True))
    new = [leg for leg in facts.returned if leg.reference not in known]
    for leg in new:
        _came_back(payout, leg)
    if new:
        note_overpaid(payout.booking.pool, payout.player_id)
        doubt_payout(
            payout, "came back in part", "Ask for another payout: it brings what came back. The books owe it again."
        )


def _came_back(payout: Payout, leg: MovementFacts) -> None:
    correction = PrizeCorrection.objects.create(
        pool=payout.booking.pool,
        player=payout.player,
        payout=payout,
        kind=CorrectionKind.CAME_BACK,
        amount_cents=leg.amount_cents,
        currency=payout.currency,
        livemode=payout.livemode,
        reference=leg.reference,
        reason=f"A part came back from {payout.provider}.",
        status=CorrectionState.DONE,
        decided_at=leg.occurred_at,
    )
    book_correction(correction)
