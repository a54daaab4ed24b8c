"""Ways from the pages of games, entries and competitions to what staff decide about them."""

from urllib.parse import urlencode

from django.urls import reverse

from config.admin import RowLink
from entries.services.rulings.people import PERMISSION

SETTLES = "entries.add_settlement"


def to_ruling(label: str, page: str, subject: str) -> RowLink:
    """To the form of a ruling, with its subject filled in."""
    return RowLink(
        label, PERMISSION, lambda pk: f"{reverse(f'admin:entries_ruling_{page}')}?{urlencode({subject: pk})}"
    )


def to_settlement() -> RowLink:
    """To what settling this competition would change."""
    return RowLink(
        "Settlement",
        SETTLES,
        lambda pk: f"{reverse('admin:entries_settlement_settle')}?{urlencode({'competition': pk})}",
    )
