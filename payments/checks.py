"""What the settings must agree with before anything starts."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from payments.providers import provider_names


@register()
def payment_provider_is_known(**_: Any) -> list[CheckMessage]:
    """A name with a typing error would be noticed by the first player who pays."""
    if settings.PAYMENT_PROVIDER in provider_names():
        return []
    known = ", ".join(provider_names())
    return [Error(f"PAYMENT_PROVIDER is {settings.PAYMENT_PROVIDER!r}: known are {known}.", id="payments.E001")]
