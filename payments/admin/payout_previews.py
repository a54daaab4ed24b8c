"""What each action on payouts would do, told on the page before it is done."""

from django.db.models import QuerySet

from payments.admin import prize_facts as facts
from payments.models import Payout, PayoutState, Provider
from payments.models.payout import WAITING_PAYOUTS


def what_approving_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `approve`: before taxes, after them, and which way."""
    waiting = rows.filter(status=PayoutState.REQUESTED)
    return [
        f"{waiting.count()} of {rows.count()} wait; the others are refused, and so is what you asked for yourself.",
        *facts.sums_of(waiting),
        "By hand, the money is handed over next, and two people sign that it was. At a provider it is sent at once.",
    ]


def what_cancelling_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `cancel`."""
    return [
        f"{rows.filter(status__in=WAITING_PAYOUTS).count()} of {rows.count()} have not moved; the others are refused.",
        "The prize is owed as before, and can be asked for again.",
    ]


def what_returning_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `mark_returned`."""
    paid = rows.filter(status=PayoutState.PAID, provider=Provider.MANUAL).count()
    return [
        f"{paid} of {rows.count()} were handed over; the others are refused.",
        "The money is with us again and owed to the winner. Another payout can be asked for.",
    ]


def what_asking_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `ask`."""
    sent = rows.exclude(provider=Provider.MANUAL).count()
    return [
        f"The providers of {sent} of {rows.count()} are asked what became of them.",
        "One that is approved and not sent is sent; nothing is ever sent twice.",
    ]


def what_bearing_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `bear`."""
    return [
        "Proposes that the house bears what these winners were paid too much, all of it. They keep it.",
        "Somebody else agrees, on the correction's page; it is the house's loss from then on.",
    ]


def what_releasing_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `release`."""
    return [
        "Proposes to give these winners all that was withheld of the payouts: the form came, within the tax year.",
        "Somebody else agrees, on the correction's page; then it is owed, and another payout brings it.",
    ]
