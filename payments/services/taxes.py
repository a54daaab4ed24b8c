"""What a country keeps of a prize, or wants to have on file before it is paid. Every number is a row of a tax year."""

from datetime import datetime

from django.conf import settings
from django.db import connection

from accounts.models import User
from config.errors import Code, Conflict
from config.money import format_amount
from payments.models import TaxForm, TaxYear

# What was won in a year, as the books have it: prizes less what corrections took away again.
WON = """
    SELECT coalesce(-sum(l.amount), 0)::bigint
    FROM payments_account a
    JOIN payments_posting l ON l.account_id = a.id
    JOIN payments_journalentry j ON j.id = l.journal_entry_id AND j.source_type = 'pool'
    WHERE a.kind = 'winnings_payable' AND a.player_id = %(player)s
      AND (a.currency_id, a.livemode) = (%(currency)s, %(livemode)s)
      AND j.finance_date >= make_date(%(year)s, 1, 1) AND j.finance_date < make_date(%(year)s + 1, 1, 1)
"""


class TaxFormMissing(Conflict):
    """The player has won too much in the year to be paid without a form on file."""

    def __init__(self, tax: TaxYear, won_cents: int) -> None:
        super().__init__(
            Code.TAX_FORM_MISSING,
            f"The player has won {format_amount(won_cents, tax.currency)} in {tax.year}: from"
            f" {format_amount(tax.threshold_cents, tax.currency)} on, {tax.country} wants form {tax.form} first.",
            {"form": tax.form, "year": tax.year, "country": tax.country},
        )


def finance_year(at: datetime) -> int:
    """The tax year of an instant, in the finance zone."""
    return at.astimezone(settings.FINANCE_TIME_ZONE).year


def withheld_of(*, player: User, amount_cents: int, currency: str, livemode: bool, year: int) -> int:
    """How much of a prize of that year is withheld, in minor units, rounded down.

    Nothing below the threshold of the player's country, nor with the form on file. Raises `TaxFormMissing` where the
    country's row says that nothing is paid without it.
    """
    tax = TaxYear.objects.filter(country=player.country, year=year, currency=currency).first()
    if tax is None:
        return 0
    # A corrected prize counts at least as itself, whatever its correction took away in this year.
    won = max(won_in_year(player=player, currency=currency, livemode=livemode, year=year), amount_cents)
    if won < tax.threshold_cents or has_form(player, tax):
        return 0
    if tax.withholding_bp is None:
        raise TaxFormMissing(tax, won)
    return amount_cents * tax.withholding_bp // 10_000


def won_in_year(*, player: User, currency: str, livemode: bool, year: int) -> int:
    """The player's prizes of the year, in minor units."""
    with connection.cursor() as cursor:
        cursor.execute(WON, {"player": player.pk, "currency": currency, "livemode": livemode, "year": year})
        return int(cursor.fetchone()[0])


def has_form(player: User, tax: TaxYear) -> bool:
    """Whether the form is on file and good for the year."""
    forms = TaxForm.objects.filter(player=player, form=tax.form)
    return any(form.valid_through_year is None or form.valid_through_year >= tax.year for form in forms)
