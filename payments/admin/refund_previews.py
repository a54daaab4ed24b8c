"""What each action on refunds would do, told on the page before it is done."""

from django.db.models import QuerySet, Sum
from django.utils.translation import gettext

from config.phrases import shown_amount, tell, tell_of
from payments.models import Refund, RefundState, TakenFrom
from payments.services.refunds.checks import owed


def _sum_of(rows: QuerySet[Refund]) -> str:
    """The chosen refunds by currency, in whole units."""
    sums = rows.order_by("currency").values_list("currency").annotate(Sum("amount_cents"))
    return " and ".join(shown_amount(cents, currency) for currency, cents in sums) or "nothing"


def what_approving_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `approve`."""
    waiting = rows.filter(status=RefundState.REQUESTED)
    return [
        tell_of(
            waiting.count(),
            "{count} of {total} waits for a second name.",
            "{count} of {total} wait for a second name.",
            total=rows.count(),
        ),
        tell("What goes back: {sum}.", sum=_sum_of(waiting)),
        tell(
            "Places that are taken back with their fees: {total}.",
            total=waiting.filter(taken_from=TakenFrom.PLACE).count(),
        ),
    ]


def what_declining_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `decline`."""
    waiting = rows.filter(status=RefundState.REQUESTED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits; the others are refused.",
            "{count} of {total} wait; the others are refused.",
            total=rows.count(),
        ),
        gettext("Nothing else changes."),
    ]


def what_sending_again_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `send_again`."""
    failed = owed(rows)
    return [
        tell_of(
            failed.count(),
            "{count} of {total} failed and is owed: {sum}.",
            "{count} of {total} failed and are owed: {sum}.",
            total=rows.count(),
            sum=_sum_of(failed),
        ),
        gettext(
            "Each is sent once more to where the money came from. What fails there again can be handed over instead."
        ),
    ]


def what_the_house_bears(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `let_the_house_bear`."""
    asked = rows.filter(taken_from=TakenFrom.UNDECIDED)
    return [
        tell_of(
            asked.count(),
            "{count} of {total} was made at the provider and waits for an answer.",
            "{count} of {total} were made at the provider and wait for an answer.",
            total=rows.count(),
        ),
        tell("The house bears {sum}; places and pots stay as they are.", sum=_sum_of(asked)),
    ]


def what_taking_places_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `take_the_place`."""
    asked = rows.filter(taken_from=TakenFrom.UNDECIDED).count()
    return [
        tell_of(
            asked,
            "{count} of {total} was made at the provider and waits for an answer.",
            "{count} of {total} were made at the provider and wait for an answer.",
            total=rows.count(),
        ),
        gettext("Their places become void with the picks kept, and what is left of each fee goes back as well."),
    ]


def what_asking_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `ask_again`."""
    return [tell("The provider is asked what became of {total}. Nothing is ever sent twice.", total=rows.count())]
