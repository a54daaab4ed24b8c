"""Money as people type it into forms: in whole units of its currency, with no more decimals than that has."""

from decimal import Decimal

from django import forms

from config.money import exponent
from config.phrases import Money, tell, tell_of


def minor_units(form: forms.BaseForm, currency: str, name: str = "amount", *, most: int | None = None) -> int | None:
    """The amount in minor units; None where there is none.

    Too many decimals, and more than `most` minor units, are told beside the field.
    """
    amount: Decimal | None = form.cleaned_data.get(name)
    if amount is None:
        return None
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        decimals = exponent(currency)
        said = tell_of(
            decimals, "{currency} has {count} decimal.", "{currency} has {count} decimals.", currency=currency.upper()
        )
        form.add_error(name, said)
    elif most is not None and minor > most:
        form.add_error(name, tell("Must be at most {amount}.", amount=Money(most, currency)))
    return int(minor)
