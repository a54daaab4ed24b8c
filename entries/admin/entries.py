"""Entries, to look at. What they picked is nobody's business here: only how many picks were made."""

from typing import ClassVar

from django.contrib import admin
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from config.admin import ReadOnlyAdmin
from entries.models import Entry, EntryChange


@admin.register(Entry)
class EntryAdmin(WithHistory, ReadOnlyAdmin):
    """Who is in, who is out and since when. Fates are written by settlement alone."""

    change_model = EntryChange
    list_display = (
        "id", "pool", "user", "number", "status", "strikes", "eliminated_round_number", "eliminated_code", "created_at",
    )  # fmt: skip
    list_select_related = ("pool", "user")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), ("pool", AutocompleteSelectFilter))
    search_fields = ("user__email", "user__display_name", "reference")
    search_help_text = "The player's e-mail address or name, or the imported reference"
    ordering = ("-id",)
    fields = (
        "pool", "user", "number", "request", "reference", "status", "strikes", "eliminated_round_number",
        "eliminated_code", "rules_version", "prize_cents", "picks_made", "created_at", "history",
    )  # fmt: skip
    readonly_fields = ("picks_made", "history")

    @admin.display(description="Picks made")
    def picks_made(self, entry: Entry) -> int:
        """How many, never which."""
        return entry.picks.count()
