"""Stripe's amounts and instants as ours, and back."""

from datetime import UTC, datetime

# Stripe counts these in hundredths although the currencies have none.
STRIPE_FACTORS = {"isk": 100, "ugx": 100}


def to_stripe(cents: int, currency: str) -> int:
    """Our minor units as Stripe counts them."""
    return cents * STRIPE_FACTORS.get(currency, 1)


def to_minor(amount: int, currency: str) -> int:
    """Stripe's amount in our minor units; a part that the currency does not have (of a fee) is rounded half up."""
    factor = STRIPE_FACTORS.get(currency, 1)
    return (2 * amount + factor) // (2 * factor)


def instant(seconds: int) -> datetime:
    """Stripe's seconds, in UTC."""
    return datetime.fromtimestamp(seconds, UTC)
