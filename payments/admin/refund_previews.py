"""What each action on refunds would do, told on the page before it is done."""

from django.db.models import QuerySet, Sum

from config.money import format_amount
from payments.models import Refund, RefundState, TakenFrom
from payments.services.refunds.checks import owed


def _sum_of(rows: QuerySet[Refund]) -> str:
    """The chosen refunds by currency, in whole units."""
    sums = rows.order_by("currency").values_list("currency").annotate(Sum("amount_cents"))
    return " and ".join(format_amount(cents, currency) for currency, cents in sums) or "nothing"


def what_approving_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `approve`."""
    waiting = rows.filter(status=RefundState.REQUESTED)
    return [
        f"{waiting.count()} of {rows.count()} wait for a second name.",
        f"What goes back: {_sum_of(waiting)}.",
        f"Places that are taken back with their fees: {waiting.filter(taken_from=TakenFrom.PLACE).count()}.",
    ]


def what_declining_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `decline`."""
    waiting = rows.filter(status=RefundState.REQUESTED).count()
    return [f"{waiting} of {rows.count()} wait; the others are refused.", "Nothing else changes."]


def what_sending_again_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `send_again`."""
    failed = owed(rows)
    return [
        f"{failed.count()} of {rows.count()} failed and are owed: {_sum_of(failed)}.",
        "Each is sent once more to where the money came from. What fails there again can be handed over instead.",
    ]


def what_the_house_bears(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `let_the_house_bear`."""
    asked = rows.filter(taken_from=TakenFrom.UNDECIDED)
    return [
        f"{asked.count()} of {rows.count()} were made at the provider and wait for an answer.",
        f"The house bears {_sum_of(asked)}; places and pots stay as they are.",
    ]


def what_taking_places_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `take_the_place`."""
    asked = rows.filter(taken_from=TakenFrom.UNDECIDED).count()
    return [
        f"{asked} of {rows.count()} were made at the provider and wait for an answer.",
        "Their places become void with the picks kept, and what is left of each fee goes back as well.",
    ]


def what_asking_does(rows: QuerySet[Refund]) -> list[str]:
    """The preview of `ask_again`."""
    return [f"The provider is asked what became of {rows.count()}. Nothing is ever sent twice."]
