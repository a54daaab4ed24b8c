"""Whoever moves the money, behind one port. `provider_named` is the only way to get at one."""

from payments.models import Provider
from payments.providers.base import PaymentProvider


def provider_named(name: str) -> PaymentProvider:
    """The provider's adapter. Raises LookupError for one that takes no payments online."""
    if name == Provider.STRIPE:
        # Imported when first needed: the client is large, and most processes never pay.
        from payments.providers import stripe

        return stripe.adapter()
    raise LookupError(f"{name} takes no payments online")


def online_provider() -> PaymentProvider:
    """The provider of new payments."""
    return provider_named(Provider.STRIPE)
