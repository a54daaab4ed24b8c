"""What each action on payouts would do, told on the page before it is done."""

from django.db.models import QuerySet
from django.utils.translation import gettext

from config.phrases import tell, tell_of
from payments.admin import prize_facts as facts
from payments.models import Payout, PayoutState, Provider
from payments.models.payout import WAITING_PAYOUTS


def what_approving_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `approve`: before taxes, after them, and which way."""
    waiting = rows.filter(status=PayoutState.REQUESTED)
    return [
        tell_of(
            waiting.count(),
            "{count} of {total} waits; the others are refused, and so is what you asked for yourself.",
            "{count} of {total} wait; the others are refused, and so is what you asked for yourself.",
            total=rows.count(),
        ),
        *facts.sums_of(waiting),
        gettext(
            "By hand, the money is handed over next, and two people sign that it was. At a provider it is sent at once."
        ),
    ]


def what_cancelling_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `cancel`."""
    return [
        tell_of(
            rows.filter(status__in=WAITING_PAYOUTS).count(),
            "{count} of {total} has not moved; the others are refused.",
            "{count} of {total} have not moved; the others are refused.",
            total=rows.count(),
        ),
        gettext("The prize is owed as before, and can be asked for again."),
    ]


def what_returning_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `mark_returned`."""
    paid = rows.filter(status=PayoutState.PAID, provider=Provider.MANUAL).count()
    return [
        tell_of(
            paid,
            "{count} of {total} was handed over; the others are refused.",
            "{count} of {total} were handed over; the others are refused.",
            total=rows.count(),
        ),
        gettext("The money is with us again and owed to the winner. Another payout can be asked for."),
    ]


def what_asking_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `ask`."""
    sent = rows.exclude(provider=Provider.MANUAL).count()
    return [
        tell("The providers of {sent} of {total} are asked what became of them.", sent=sent, total=rows.count()),
        gettext("One that is approved and not sent is sent; nothing is ever sent twice."),
    ]


def what_bearing_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `bear`."""
    return [
        gettext("Proposes that the house bears what these winners were paid too much, all of it. They keep it."),
        gettext("Somebody else agrees, on the correction's page; it is the house's loss from then on."),
    ]


def what_releasing_does(rows: QuerySet[Payout]) -> list[str]:
    """The preview of `release`."""
    return [
        gettext(
            "Proposes to give these winners all that was withheld of the payouts: the form came, within the tax year."
        ),
        gettext("Somebody else agrees, on the correction's page; then it is owed, and another payout brings it."),
    ]
