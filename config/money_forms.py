"""Money as people type it into forms: in whole units of its currency, with no more decimals than that has."""

from decimal import Decimal

from django import forms

from config.money import exponent


def minor_units(form: forms.BaseForm, currency: str, name: str = "amount") -> int | None:
    """The amount in minor units; None where there is none. Too many decimals are told beside the field."""
    amount: Decimal | None = form.cleaned_data.get(name)
    if amount is None:
        return None
    minor = amount.scaleb(exponent(currency))
    if minor != minor.to_integral_value():
        form.add_error(name, f"{currency.upper()} has {exponent(currency)} decimals.")
    return int(minor)
