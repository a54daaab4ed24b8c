"""Stripe: Checkout Sessions, refunds, disputes, payouts, and signed webhooks.

`client` alone imports the official client and answers plain dictionaries; `sessions`, `charges` and `payouts` turn
those into our facts; `provider` keeps the port. Amounts are in our minor units on this side, in Stripe's on the other.
"""

from payments.providers.stripe.provider import StripeProvider, adapter

__all__ = ["StripeProvider", "adapter"]
