"""What the pages of prizes show of a payout beside its own fields: sums, taxes, what the player was paid in all."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from accounts.models import User
from config.clock import database_now
from config.names import named
from config.phrases import Money, shown_amount, tell
from config.words import status_of
from entries.admin.links import linked
from entries.models import Entry
from payments.models import Payout, PrizeCorrection, TaxForm, TaxYear
from payments.services.taxes import finance_year, has_form, paid_in_year, tax_year_of
from payments.services.winners.standing import standing_of

MOST_LISTED = 100


def sums_of(payouts: QuerySet[Payout]) -> list[str]:
    """What these payouts come to, by currency and way: before taxes, withheld, and paid out."""
    sums: dict[tuple[str, str], list[int]] = {}
    for row in payouts.values_list("currency", "provider", "amount_cents", "withheld_cents"):
        currency, provider, gross, withheld = row
        found = sums.setdefault((currency, provider), [0, 0, 0])
        sums[currency, provider] = [found[0] + 1, found[1] + gross, found[2] + withheld]
    return [
        tell(
            "{count} by {provider}: {gross} before taxes, {withheld} withheld, {net} to the winners.",
            count=count,
            provider=provider,
            gross=Money(gross, currency),
            withheld=Money(withheld, currency),
            net=Money(gross - withheld, currency),
        )
        for (currency, provider), (count, gross, withheld) in sorted(sums.items())
    ]


def entries_of(payout: Payout) -> SafeString:
    """Each entry with its prize in the booking that the payout was asked for under."""
    prizes = payout.booking.prizes
    mine = Entry.objects.filter(pool=payout.booking.pool_id, user=payout.player_id).order_by("pk")
    won = [entry for entry in mine if str(entry.pk) in prizes]
    lines = (
        (
            linked(reverse("admin:entries_entry_change", args=[entry.pk]), tell("entry {number}", number=entry.number)),
            shown_amount(prizes[str(entry.pk)], payout.currency),
        )
        for entry in won[:MOST_LISTED]
    )
    more = tell("and {more} more", more=len(won) - MOST_LISTED) if len(won) > MOST_LISTED else ""
    whole = tell("{amount} in all", amount=Money(payout.won_cents, payout.currency))
    return format_html("{}{} {}", format_html_join("", "{}: {}, ", lines), more, whole)


def taxes_of(payout: Payout) -> SafeString:
    """What the player's country asks in the year of the payment (this one, until it is paid), and what is on file."""
    player, currency = payout.player, payout.currency
    year = finance_year(payout.paid_at or database_now())
    tax = tax_year_of(player=player, currency=currency, year=year)
    paid = paid_in_year(player=player, currency=currency, livemode=payout.livemode, year=year, but=payout.pk)
    so_far = Money(paid, currency)
    if tax is None:
        return format_html(
            "{}",
            tell(
                "Nothing is asked of {country} in {year}; {amount} besides this.",
                country=player.country,
                year=year,
                amount=so_far,
            ),
        )
    asks = tell(
        "{country} asks for form {form} from {amount} a year on.",
        country=tax.country,
        form=tax.form,
        amount=Money(tax.threshold_cents, currency),
    )
    besides = tell("{amount} besides this in {year}.", amount=so_far, year=year)
    return format_html("{} {} {} {}", asks, _without(tax), _on_file(player, tax), besides)


def _without(tax: TaxYear) -> str:
    if tax.withholding_bp is None:
        return gettext("Without it nothing is paid.")
    return tell("Without it {percent} % are withheld.", percent=f"{tax.withholding_bp / 100:.2f}")


def _on_file(player: User, tax: TaxYear) -> str:
    form = TaxForm.objects.filter(player=player, form=tax.form).order_by("-pk").first()
    if form is None:
        return gettext("It is not on file.")
    if not has_form(player, tax):
        return tell(
            "It was received on {day}, good through {year}: too old.",
            day=form.received_on,
            year=form.valid_through_year,
        )
    if form.tin_last_four:
        return tell(
            "It was received on {day}, number ending in {digits}.", day=form.received_on, digits=form.tin_last_four
        )
    return tell("It was received on {day}.", day=form.received_on)


def standing_facts(payout: Payout) -> SafeString:
    """What the player has won in the pool by its newest booking, and what became of it."""
    standing, currency = standing_of(payout.booking.pool_id, payout.player_id), payout.currency
    sums = (
        (gettext("won"), standing.won),
        (gettext("paid"), standing.paid),
        (gettext("sent back"), standing.repaid),
        (gettext("borne by the house"), standing.borne),
        (gettext("not asked for yet"), standing.due),
        (gettext("paid too much"), standing.over),
    )
    shown = [(shown_amount(cents, currency), name) for name, cents in sums if cents]
    return format_html_join(", ", "{} {}", shown) or format_html("{}", gettext("nothing"))


def corrections_of(payout: Payout) -> SafeString | str:
    """All corrections of the player's prize in the pool, the newest first."""
    corrections = PrizeCorrection.objects.filter(pool=payout.booking.pool_id, player=payout.player_id)
    return _listed(
        (
            reverse("admin:payments_prizecorrection_change", args=[row.pk]),
            f"{named(row.get_kind_display())}: {shown_amount(row.amount_cents, row.currency)}, {status_of(row)}",
        )
        for row in corrections.order_by("-pk")[:MOST_LISTED]
    )


def records_of(payout: Payout) -> SafeString | str:
    """The records of its handover, whatever became of them."""
    return _listed(
        (reverse("admin:payments_manualrecord_change", args=[row.pk]), f"{row}, {status_of(row)}")
        for row in payout.manual_records.order_by("-pk")
    )


def replaced_by(payout: Payout) -> SafeString | str:
    """The payout of which it sends again what came back."""
    if payout.replaces_id is None:
        return "—"
    return linked(reverse("admin:payments_payout_change", args=[payout.replaces_id]), f"payout {payout.replaces_id}")


def _listed(rows: Iterable[tuple[str, str]]) -> SafeString | str:
    return format_html_join("; ", "{}", ((linked(address, said),) for address, said in rows)) or "—"
