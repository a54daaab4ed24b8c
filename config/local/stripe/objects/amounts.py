"""Amounts and currencies as parameters: known currency, large enough, small enough, no impossible digit."""

from config.local.stripe.currencies import MAXIMUM, SUPPORTED, format_amount, is_whole, smallest_amount
from config.local.stripe.errors import InvalidParameter
from config.local.stripe.params import Params


def read_currency(params: Params, name: str = "currency") -> str:
    currency = params.required_text(name).lower()
    if currency not in SUPPORTED:
        raise InvalidParameter(
            f"Invalid currency: {currency}. Stripe currently supports these currencies: {', '.join(sorted(SUPPORTED))}",
            param=params.full_name(name),
        )
    return currency


def check_amount(amount: int, currency: str, *, param: str) -> None:
    """Refuses what Stripe would not charge in this currency."""
    least = smallest_amount(currency)
    if amount < least:
        raise InvalidParameter(
            f"Amount must be at least {format_amount(least, currency)} {currency}", code="amount_too_small", param=param
        )
    if amount > MAXIMUM:
        raise InvalidParameter(
            f"Amount must be no more than {format_amount(MAXIMUM, currency)} {currency}",
            code="amount_too_large",
            param=param,
        )
    check_digits(amount, currency, param=param)


def check_digits(amount: int, currency: str, *, param: str) -> None:
    if not is_whole(amount, currency):
        raise InvalidParameter(
            f"Invalid amount: {amount}. In {currency} the amount must be a multiple of "
            f"{100 if currency in ('isk', 'ugx') else 10}.",
            param=param,
        )
