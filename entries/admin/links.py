"""Ways from the pages of games, entries and competitions to what staff decide about them."""

from urllib.parse import urlencode

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_noop

from config.admin import RowLink
from entries.services.rulings.people import PERMISSION
from pools.models import Game

SETTLES = "entries.add_settlement"


def linked(address: str, text: str) -> SafeString:
    """A link that looks like those of foreign keys; it may stand within a sentence."""
    return format_html('<a href="{}" class="text-primary-600 underline dark:text-primary-500">{}</a>', address, text)


def to_ruling(label: str, page: str, subject: str) -> RowLink:
    """To the form of a ruling, with its subject filled in."""
    return RowLink(
        label, PERMISSION, lambda pk: f"{reverse(f'admin:entries_ruling_{page}')}?{urlencode({subject: pk})}"
    )


def to_settlement() -> RowLink:
    """To what settling this competition would change."""
    return RowLink(
        gettext_noop("Settlement"),
        SETTLES,
        lambda pk: f"{reverse('admin:entries_settlement_settle')}?{urlencode({'competition': pk})}",
    )


def to_results() -> RowLink:
    """To where the results of this game's round are typed."""

    def address(pk: str) -> str:
        round_id = Game.objects.filter(pk=pk).values_list("round_id", flat=True).first() or 0
        return reverse("admin:entries_room_results", args=[round_id])

    return RowLink(gettext_noop("Type its result"), "pools.change_game", address)


def to_room() -> RowLink:
    """To the round of this pool that is played, or locks next."""
    return RowLink(
        gettext_noop("Round room"), "pools.view_game", lambda pk: reverse("admin:entries_room_current", args=[pk])
    )
