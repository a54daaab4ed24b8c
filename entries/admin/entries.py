"""Entries, to look at. What they picked is nobody's business here: only how many picks were made."""

from typing import ClassVar

from django.contrib import admin
from django.utils.translation import gettext_noop
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.models import Channel
from config.admin import ReadOnlyAdmin, RowLink, WithRowActions
from config.list_filters import YesNoFilter
from entries.admin.links import to_ruling
from entries.admin.rooms import WithRooms
from entries.models import Entry, EntryChange, Fallback
from entries.services.reminder_wishes import reminders_of


@admin.register(Entry)
class EntryAdmin(WithRooms, WithHistory, WithRowActions, ReadOnlyAdmin):
    """Who is in, who is out and since when. Fates are written by settlement alone, and by rulings of two names."""

    handbook = "staff/entries#entries"
    links: ClassVar[tuple[RowLink, ...]] = (
        to_ruling(gettext_noop("Rule on a pick of this entry"), "propose_pick", "entry"),
        to_ruling(gettext_noop("Disqualify this entry"), "propose_disqualify", "entry"),
        to_ruling(gettext_noop("Reinstate this entry"), "propose_reinstate", "entry"),
    )
    change_model = EntryChange
    list_display = (
        "id", "pool", "user", "number", "status", "strikes", "eliminated_round_number", "eliminated_code",
        "is_suspended", "created_at",
    )  # fmt: skip
    list_select_related = ("pool", "user")
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter), ("is_suspended", YesNoFilter), ("pool", AutocompleteSelectFilter),
    )  # fmt: skip
    search_fields = ("user__email", "user__display_name", "reference__exact")
    search_help_text = "The player's e-mail address or name, or the whole imported reference"
    ordering = ("-id",)
    fields = (
        "pool", "user", "number", "request", "reference", "status", "strikes", "eliminated_round_number",
        "eliminated_code", "rules_version", "prize_cents", "is_suspended", "picks_made", "has_fallback", "is_reminded",
        "created_at", "history",
    )  # fmt: skip
    readonly_fields = ("picks_made", "has_fallback", "is_reminded", "history")
    actions_list = ("rooms",)

    def describe(self, row: Entry) -> str:
        """Whose it is, in which pool, and where it stands."""
        reference = f", {row.reference}" if row.reference else ""
        whose = f"{row.user.display_name} <{row.user.email}>"
        return f"{whose}, entry {row.number} in {row.pool.name}{reference}: {row.status}"

    @admin.display(description="Picks made")
    def picks_made(self, entry: Entry) -> int:
        """How many, never which."""
        return entry.picks.count()

    @admin.display(description="Has a fallback list", boolean=True)
    def has_fallback(self, entry: Entry) -> bool:
        """Whether, never which teams."""
        return Fallback.objects.filter(entry=entry).exclude(team_ids=[]).exists()

    @admin.display(description="Reminded by e-mail", boolean=True)
    def is_reminded(self, entry: Entry) -> bool:
        """Whether its player lets us, where a pick is missing."""
        return reminders_of(entry)[Channel.EMAIL]
