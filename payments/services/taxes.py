"""What a country keeps of a prize, or wants to have on file before it is paid. Every number is a row of a tax year.

A prize counts in the year in which it is paid, as the finance zone has it, and so does the year's form. What counts
against the threshold is what was paid in that year and what is on its way, this payout included, before taxes; what
came back, or was sent back, does not count.
"""

from datetime import datetime
from typing import Any

from django.conf import settings
from django.db import connection

from accounts.models import User
from config.clock import finance_date
from config.errors import Code, Conflict
from config.phrases import Money, phrase
from payments.models import TaxForm, TaxYear

# Prizes paid in a year; what is not paid yet is counted as paid in the year that it is looked at for.
PAID = """
    SELECT (coalesce(sum(p.amount_cents - coalesce((
            SELECT sum(c.amount_cents) FROM payments_prizecorrection c
            WHERE c.payout_id = p.id AND c.status = 'done' AND c.kind IN ('tax_released', 'came_back')), 0)), 0)
        - coalesce((
            SELECT sum(c.amount_cents) FROM payments_prizecorrection c
            WHERE c.player_id = %(player)s AND (c.currency, c.livemode) = (%(currency)s, %(livemode)s)
                AND c.kind = 'repaid' AND c.status = 'done'
                AND extract(year FROM c.decided_at AT TIME ZONE %(zone)s) = %(year)s), 0))::bigint
    FROM payments_payout p
    WHERE p.player_id = %(player)s AND (p.currency, p.livemode) = (%(currency)s, %(livemode)s)
      AND p.status IN ('requested', 'approved', 'sending', 'unknown', 'paid') AND p.id IS DISTINCT FROM %(but)s
      AND (p.paid_at IS NULL OR extract(year FROM p.paid_at AT TIME ZONE %(zone)s) = %(year)s)
"""


class TaxFormMissing(Conflict):
    """The player has won too much in the year to be paid without a form on file."""

    def __init__(self, tax: TaxYear, paid_cents: int) -> None:
        super().__init__(
            Code.TAX_FORM_MISSING,
            phrase(
                "With this the player is paid {amount} in {year}: "
                "from {threshold} on, {country} wants form {form} first.",
                amount=Money(paid_cents, tax.currency),
                year=tax.year,
                threshold=Money(tax.threshold_cents, tax.currency),
                country=tax.country,
                form=tax.form,
            ),
            {"form": tax.form, "year": tax.year, "country": tax.country},
        )


def finance_year(at: datetime) -> int:
    """The tax year of an instant, in the finance zone."""
    return finance_date(at).year


def withheld_of(
    *, player: User, amount_cents: int, currency: str, livemode: bool, year: int, but: int | None = None
) -> int:
    """How much of a payout in that year is withheld, in minor units, rounded down.

    Nothing below the threshold of the player's country, nor with the form on file. Raises `TaxFormMissing` where the
    country's row says that nothing is paid without it. `but` is the payout's own number, once it has one.
    """
    tax = tax_year_of(player=player, currency=currency, year=year)
    if tax is None:
        return 0
    paid = amount_cents + paid_in_year(player=player, currency=currency, livemode=livemode, year=year, but=but)
    if max(paid, amount_cents) < tax.threshold_cents or has_form(player, tax):
        return 0
    if tax.withholding_bp is None:
        raise TaxFormMissing(tax, max(paid, amount_cents))
    return amount_cents * tax.withholding_bp // 10_000


def tax_year_of(*, player: User, currency: str, year: int) -> TaxYear | None:
    """The row that rules the player's prizes of the year; None where there is none, and nothing is asked."""
    return TaxYear.objects.filter(country=player.country, year=year, currency=currency).first()


def paid_in_year(*, player: User, currency: str, livemode: bool, year: int, but: int | None = None) -> int:
    """The player's prizes of the year, paid or on their way, in minor units before taxes."""
    given: dict[str, Any] = {"player": player.pk, "currency": currency, "livemode": livemode, "year": year, "but": but}
    with connection.cursor() as cursor:
        cursor.execute(PAID, {**given, "zone": settings.FINANCE_TIME_ZONE.key})
        return int(cursor.fetchone()[0])


def has_form(player: User, tax: TaxYear) -> bool:
    """Whether the form is on file and good for the year: of several, the newest counts."""
    newest = TaxForm.objects.filter(player=player, form=tax.form).order_by("-pk").first()
    return newest is not None and (newest.valid_through_year is None or newest.valid_through_year >= tax.year)
