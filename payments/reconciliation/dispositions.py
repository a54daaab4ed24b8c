"""What is done about each kind of doubt: by the machine, and by people. The one table; everything else reads it.

A machine heals only what asking the provider again can heal; what remains is put before a person, who may do to it
what stands here and nothing else. docs/reconciliation.md has this table, and a test keeps the two the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from django.utils.translation import gettext_noop

from payments.models import DiscrepancyKind


class Heal(StrEnum):
    """What the machine does, one object at a time. All of them ask the provider, or only hold something back."""

    ASK = "ask"
    """Ask the provider about the payment, charge, dispute or payout, and apply its answer."""

    ADOPT = "adopt"
    """Make a payment of ours that is not here again, from what the provider has; a request that is gone: only book."""

    BOOK = "book"
    """Write down a movement that nobody knows, and book it: to suspense, where nothing says what it was."""

    ALLOCATE = "allocate"
    """Try again to make money a place; what can be none goes back by itself, or waits for a person."""

    SUSPEND = "suspend"
    """Suspend a place that nobody paid for: it plays on as its pool says, and wins nothing before it is cleared."""


class Action(StrEnum):
    """What staff may do to a row of the queue."""

    RESYNC = "resync"
    ALLOCATE = "allocate"
    REFUND = "refund"
    MARK_FOREIGN = "mark_foreign"
    WRITE_OFF = "write_off"
    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Disposition:
    """What a kind means, what heals it, and what people may do.

    `creates`: its healing makes rows that were not here; too many of these at once are a wrong key sooner than a loss.
    `closes_itself`: a run that does not see it any more closes it. The others have been booked meanwhile, so that they
    cannot be seen, and still wait for a person, or for the service that raised them.
    """

    means: str
    advice: str
    heal: Heal | None = None
    creates: bool = False
    closes_itself: bool = True
    actions: tuple[Action, ...] = ()


_LOOK = (Action.ACKNOWLEDGE, Action.RESOLVE)
_ASK = (Action.RESYNC, *_LOOK)
_MONEY = (Action.RESYNC, Action.ALLOCATE, Action.REFUND, *_LOOK)
_STRANGE = (Action.RESYNC, Action.MARK_FOREIGN, Action.WRITE_OFF, *_LOOK)
_Kind = DiscrepancyKind

DISPOSITIONS: Mapping[DiscrepancyKind, Disposition] = {
    # What only one side has.
    _Kind.MISSING_LOCALLY: Disposition(
        means=gettext_noop(
            "The provider has money with our mark, and there is no row of ours: the ordinary case after a restore."
        ),
        advice=gettext_noop(
            "It comes back by itself where its request is here; else give the money back at the provider."
        ),
        heal=Heal.ADOPT,
        creates=True,
        closes_itself=False,
        actions=(Action.RESYNC, Action.MARK_FOREIGN, *_LOOK),
    ),
    _Kind.MISSING_AT_PROVIDER: Disposition(
        means=gettext_noop("We have money in the books that the provider does not know."),
        advice=gettext_noop("Check key and account at once. If both are right, the row is forged or a test's."),
        actions=_ASK,
    ),
    _Kind.LIVEMODE_LEAK: Disposition(
        means=gettext_noop("Test money beside real money: a key, an endpoint or a row is of the other mode."),
        advice=gettext_noop("Find the wrong key or endpoint. Nothing of it was applied."),
        actions=_ASK,
    ),
    _Kind.FOREIGN_ACCOUNT: Disposition(
        means=gettext_noop("Most of what the provider has is not ours: the key is of another account or environment."),
        advice=gettext_noop("Check the key and the name of this environment. Nothing was healed."),
        actions=_LOOK,
    ),
    # What both have, and not alike.
    _Kind.STATUS_MISMATCH: Disposition(
        means=gettext_noop("A payment, refund or dispute is at another point here than at the provider."),
        advice=gettext_noop("Asked about again by itself; what stays was refused here: read why, and ask again."),
        heal=Heal.ASK,
        actions=_ASK,
    ),
    _Kind.AMOUNT_MISMATCH: Disposition(
        means=gettext_noop("Another amount than was asked for, or than stands here."),
        advice=gettext_noop("Talk to the player; give it back, all or a part. Nothing is paid on top by itself."),
        actions=(Action.RESYNC, Action.REFUND, *_LOOK),
    ),
    _Kind.CURRENCY_MISMATCH: Disposition(
        means=gettext_noop("Another currency than was asked for, or than stands here."),
        advice=gettext_noop("Talk to the player, and give it back."),
        actions=(Action.RESYNC, Action.REFUND, *_LOOK),
    ),
    _Kind.ROWS_DISAGREE: Disposition(
        means=gettext_noop("Two of our own rows contradict each other."),
        advice=gettext_noop("Read both. Ask the provider again; if it stays, a developer has to look."),
        actions=_ASK,
    ),
    # Money and places.
    _Kind.DUPLICATE_PAYMENT: Disposition(
        means=gettext_noop("A second payment for the same place."),
        advice=gettext_noop(
            "The newer one goes back by itself, unless that is switched off or it came by hand: then give it back."
        ),
        heal=Heal.ALLOCATE,
        actions=(Action.REFUND, *_LOOK),
    ),
    _Kind.PAID_NO_ENTRY: Disposition(
        means=gettext_noop("Money waits for longer than 15 minutes, and is neither a place nor on its way back."),
        advice=gettext_noop(
            "Tried again by itself. What stays: make it a place if its request still waits, or give it back."
        ),
        heal=Heal.ALLOCATE,
        actions=_MONEY,
    ),
    _Kind.HELD_MONEY: Disposition(
        means=gettext_noop("Money that the machine may not return by itself."),
        advice=gettext_noop("Make it a place, or give it back."),
        actions=_MONEY,
    ),
    _Kind.ENTRY_WITHOUT_PAYMENT: Disposition(
        means=gettext_noop("A place in a pool that costs something, with neither money nor a waiver."),
        advice=gettext_noop(
            "It is suspended by itself. Find out who made it, then waive its fee, have it paid, or take it away."
        ),
        heal=Heal.SUSPEND,
        actions=_ASK,
    ),
    # Refunds.
    _Kind.EXTERNAL_REFUND: Disposition(
        means=gettext_noop(
            "A refund made past us, of money that we know. It is booked; whose money it was, nobody has said."
        ),
        advice=gettext_noop("Take the place back, or let the house bear it: on the page of the refund."),
        heal=Heal.ASK,
        creates=True,
        actions=_ASK,
    ),
    _Kind.ORPHAN_REFUND: Disposition(
        means=gettext_noop("A refund of a charge that is not here."),
        advice=gettext_noop("It lies in suspense. If the charge is another product's, mark it as not ours."),
        heal=Heal.BOOK,
        creates=True,
        closes_itself=False,
        actions=_STRANGE,
    ),
    _Kind.REFUND_FAILED: Disposition(
        means=gettext_noop("A refund failed or came back: the player is owed the money again."),
        advice=gettext_noop("Send it again, by hand if need be."),
        heal=Heal.ASK,
        actions=(Action.RESYNC, Action.REFUND, *_LOOK),
    ),
    _Kind.REFUND_STUCK: Disposition(
        means=gettext_noop("A refund that was decided has not arrived anywhere."),
        advice=gettext_noop("Asked about again by itself. Look at the provider's dashboard, then ask again."),
        heal=Heal.ASK,
        actions=_ASK,
    ),
    _Kind.REFUND_UNFUNDED: Disposition(
        means=gettext_noop("Refunds wait because the balance at the provider is too small."),
        advice=gettext_noop("Top the balance up."),
        actions=_ASK,
    ),
    # Disputes.
    _Kind.REFUND_AND_DISPUTE: Disposition(
        means=gettext_noop("The same money left twice: by a refund and by a dispute."),
        advice=gettext_noop("Contest the dispute with the refund as evidence."),
        actions=_ASK,
    ),
    _Kind.DISPUTE_UNKNOWN: Disposition(
        means=gettext_noop("A dispute, or money of one, that is not here or says something new."),
        advice=gettext_noop(
            "Asked about by itself: then its place is suspended and its money booked. What stays needs a look."
        ),
        heal=Heal.ASK,
        creates=True,
        actions=_ASK,
    ),
    _Kind.DISPUTE_DEADLINE: Disposition(
        means=gettext_noop("A dispute has to be answered by the day named."),
        advice=gettext_noop("Hand the evidence in at the provider."),
        actions=_ASK,
    ),
    _Kind.DISPUTE_LOST: Disposition(
        means=gettext_noop("A dispute was lost, and money with it."),
        advice=gettext_noop("Look at the player and the place; the loss is booked."),
        actions=_ASK,
    ),
    # Fees and other movements of the balance.
    _Kind.FEE_MISSING: Disposition(
        means=gettext_noop("The provider has told what it kept of a payment, and it is not booked."),
        advice=gettext_noop("Booked by itself, as the provider says it."),
        heal=Heal.ASK,
        actions=_ASK,
    ),
    _Kind.FEE_CHANGED: Disposition(
        means=gettext_noop("The provider names another fee than the one that is booked."),
        advice=gettext_noop("The difference is booked by itself."),
        heal=Heal.BOOK,
        actions=_ASK,
    ),
    _Kind.UNKNOWN_MOVEMENT: Disposition(
        means=gettext_noop("The balance at the provider moved, and no rule says why."),
        advice=gettext_noop("It lies in suspense. Find out what it was; mark it as not ours, or write it off."),
        heal=Heal.BOOK,
        creates=True,
        closes_itself=False,
        actions=_STRANGE,
    ),
    _Kind.NOT_BOOKED: Disposition(
        means=gettext_noop("A row was missing in the journal and had to be caught up."),
        advice=gettext_noop("The books are right again. Find out how it could be missing."),
        actions=_LOOK,
    ),
    # Pots and prizes.
    _Kind.POT_SHORT: Disposition(
        means=gettext_noop("Prizes and pot do not agree."),
        advice=gettext_noop("Find out which is right before anything is paid out."),
        actions=_LOOK,
    ),
    _Kind.PAYOUT_FAILED: Disposition(
        means=gettext_noop("A payout came back: from our bank, or from a winner's."),
        advice=gettext_noop("Correct the account there. A winner's prize is owed again: ask for another payout."),
        actions=_ASK,
    ),
    _Kind.PRIZE_OVERPAID: Disposition(
        means=gettext_noop("A corrected result took a prize, or a part of it, that was paid out."),
        advice=gettext_noop("Ask for it back, and record it when it comes; or let the house bear it."),
        actions=_LOOK,
    ),
    # The provider's payouts, and the bank.
    _Kind.PAYOUT_SUM_MISMATCH: Disposition(
        means=gettext_noop("The movements of a provider's payout do not add up to it, or one of them is not booked."),
        advice=gettext_noop("Ask for the payout again; then compare its items with the provider's report."),
        actions=_ASK,
    ),
    _Kind.PAYOUT_NOT_IN_BANK: Disposition(
        means=gettext_noop(
            "A payout of the provider should be on the account by now, and no line of the bank says so."
        ),
        advice=gettext_noop("Import the newest statement. If it is not there, ask the provider for the trace."),
        actions=_ASK,
    ),
    _Kind.BANK_UNMATCHED: Disposition(
        means=gettext_noop("A line of the bank that belongs to no payout and no record, or to several."),
        advice=gettext_noop("Match it by hand, or say what it was."),
        actions=_LOOK,
    ),
    _Kind.STATEMENT_GAP: Disposition(
        means=gettext_noop("A statement does not begin where the one before ended."),
        advice=gettext_noop("Import the statement between them."),
        actions=_LOOK,
    ),
    # The books as a whole.
    _Kind.CLEARING_TIEOUT_DIFF: Disposition(
        means=gettext_noop("What the books say that the provider owes us is not its balance."),
        advice=gettext_noop("Run the reconciliation. What stays has to be found before anything is paid out."),
        actions=_LOOK,
    ),
    _Kind.BOOKS_BROKEN: Disposition(
        means=gettext_noop("The proof of the books fails."),
        advice=gettext_noop("Read the page of the proof: it names the rows. A developer has to look."),
        actions=_LOOK,
    ),
    _Kind.MASS_HEALING: Disposition(
        means=gettext_noop(
            "More was to be healed at once than is healed unasked: mostly a wrong key, account or mode."
        ),
        advice=gettext_noop("Check the key. If all of it is ours, let the healing go on: on the page of the run."),
        actions=_LOOK,
    ),
    # News.
    _Kind.POISON_WEBHOOK: Disposition(
        means=gettext_noop("News that could not be worked on ten times."),
        advice=gettext_noop("Read the error, mend it, look again."),
        actions=_LOOK,
    ),
    _Kind.SIGNATURES: Disposition(
        means=gettext_noop("Many calls with wrong signatures."),
        advice=gettext_noop("A forgotten secret, or somebody trying."),
        actions=_LOOK,
    ),
    _Kind.EVENTS_LOST: Disposition(
        means=gettext_noop("The provider says that it failed to make events."),
        advice=gettext_noop("All objects were asked about already; look whether the reconciliation is quiet."),
        actions=_LOOK,
    ),
}


def disposition(kind: str) -> Disposition:
    """What is done about a kind."""
    return DISPOSITIONS[DiscrepancyKind(kind)]


def is_allowed(kind: str, action: Action) -> bool:
    """Whether staff may do this to a row of that kind."""
    return action in disposition(kind).actions
