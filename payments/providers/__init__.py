"""Whoever moves the money, behind one port (`port.PaymentProvider`), found by name.

A provider is one module (or package) of this package: its name is the provider's, and its `adapter()` gives the
adapter for the settings as they are. Nothing else names it: not a table, not an address, not a page. One that lives
elsewhere registers itself by name.
"""

from collections.abc import Callable
from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from django.conf import settings

from payments.providers.port import PaymentProvider

Factory = Callable[[], PaymentProvider]

# What stands beside the providers and is none: the port, its facts and errors, and how notices are read.
SUPPORT = frozenset({"base", "faults", "notices", "port"})

_registered: dict[str, Factory] = {}


def register(name: str, factory: Factory) -> None:
    """Let `factory` answer for this provider; it is called each time the adapter is needed."""
    _registered[name] = factory


def provider_named(name: str) -> PaymentProvider:
    """The provider's adapter. Raises LookupError for a name that nobody answers to."""
    if name in _registered:
        return _registered[name]()
    if name not in _modules():
        raise LookupError(f"There is no payment provider {name!r}.")
    # Imported when first needed: a provider's client can be large, and most processes never pay.
    factory: Factory = import_module(f"{__name__}.{name}").adapter
    return factory()


def online_provider() -> PaymentProvider:
    """The provider of new payments over the API."""
    return provider_named(settings.PAYMENT_PROVIDER)


def provider_names() -> list[str]:
    """Every name that a provider answers to, sorted; no provider is loaded for it."""
    return sorted(_modules() | _registered.keys())


@cache
def _modules() -> frozenset[str]:
    return frozenset(module.name for module in iter_modules(__path__)) - SUPPORT
