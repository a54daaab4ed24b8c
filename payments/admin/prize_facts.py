"""What the pages of prizes show of a payout beside its own fields: sums, taxes, what the player was paid in all."""

from collections.abc import Iterable

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from config.clock import database_now
from config.money import format_amount
from config.words import status_of
from entries.admin.links import linked
from entries.models import Entry
from payments.models import Payout, PrizeCorrection, TaxForm
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
        f"{count} by {provider}: {format_amount(gross, currency)} before taxes, {format_amount(withheld, currency)}"
        f" withheld, {format_amount(gross - withheld, currency)} to the winners."
        for (currency, provider), (count, gross, withheld) in sorted(sums.items())
    ]


def entries_of(payout: Payout) -> SafeString:
    """Each entry with its prize in the booking that the payout was asked for under."""
    prizes = payout.booking.prizes
    mine = Entry.objects.filter(pool=payout.booking.pool_id, user=payout.player_id).order_by("pk")
    won = [entry for entry in mine if str(entry.pk) in prizes]
    lines = (
        (
            linked(reverse("admin:entries_entry_change", args=[entry.pk]), f"entry {entry.number}"),
            format_amount(prizes[str(entry.pk)], payout.currency),
        )
        for entry in won[:MOST_LISTED]
    )
    more = f"and {len(won) - MOST_LISTED} more" if len(won) > MOST_LISTED else ""
    whole = format_amount(payout.won_cents, payout.currency)
    return format_html("{}{} {} in all", format_html_join("", "{}: {}, ", lines), more, whole)


def taxes_of(payout: Payout) -> SafeString:
    """What the player's country asks in the year of the payment (this one, until it is paid), and what is on file."""
    player, currency = payout.player, payout.currency
    year = finance_year(payout.paid_at or database_now())
    tax = tax_year_of(player=player, currency=currency, year=year)
    paid = paid_in_year(player=player, currency=currency, livemode=payout.livemode, year=year, but=payout.pk)
    so_far = format_amount(paid, currency)
    if tax is None:
        return format_html("Nothing is asked of {} in {}; {} besides this.", player.country, year, so_far)
    form = TaxForm.objects.filter(player=player, form=tax.form).order_by("-pk").first()
    on_file = "is not on file" if form is None else f"was received on {form.received_on:%Y-%m-%d}"
    if form is not None and not has_form(player, tax):
        on_file += f", good through {form.valid_through_year}: too old"
    elif form is not None and form.tin_last_four:
        on_file += f", number ending in {form.tin_last_four}"
    without = "nothing is paid" if tax.withholding_bp is None else f"{tax.withholding_bp / 100:.2f} % are withheld"
    return format_html(
        "{} asks for form {} from {} a year on; without it {}. It {}. {} besides this in {}.",
        tax.country, tax.form, format_amount(tax.threshold_cents, currency), without, on_file, so_far, year,
    )  # fmt: skip


def standing_facts(payout: Payout) -> SafeString:
    """What the player has won in the pool by its newest booking, and what became of it."""
    standing, currency = standing_of(payout.booking.pool_id, payout.player_id), payout.currency
    named = (
        ("won", standing.won), ("paid", standing.paid), ("sent back", standing.repaid),
        ("borne by the house", standing.borne), ("not asked for yet", standing.due), ("paid too much", standing.over),
    )  # fmt: skip
    shown = [(format_amount(cents, currency), name) for name, cents in named if cents]
    return format_html_join(", ", "{} {}", shown) or format_html("{}", "nothing")


def corrections_of(payout: Payout) -> SafeString | str:
    """All corrections of the player's prize in the pool, the newest first."""
    corrections = PrizeCorrection.objects.filter(pool=payout.booking.pool_id, player=payout.player_id)
    return _listed(
        (
            reverse("admin:payments_prizecorrection_change", args=[row.pk]),
            f"{row.get_kind_display()}: {format_amount(row.amount_cents, row.currency)}, {status_of(row)}",
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
