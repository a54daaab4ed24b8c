"""Letters and what became of them, to look at; addresses that came back, to be written to again."""

from typing import ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.staff import staff
from accounts.models import Letter, LetterStatus, MessagePreferences, UnreachableAddress
from accounts.services.letters.outcomes import lift_unreachable
from config.admin import ReadOnlyAdmin, labelled
from config.clock import database_now
from config.confirmations import confirmed
from config.names import named
from config.phrases import tell_of

COLOURS: dict[str, str] = {
    LetterStatus.QUEUED: "info",
    LetterStatus.SENT: "info",
    LetterStatus.DELIVERED: "success",
    LetterStatus.BOUNCED: "danger",
    LetterStatus.COMPLAINED: "danger",
    LetterStatus.FAILED: "danger",
    LetterStatus.SKIPPED: "warning",
}


@admin.register(Letter)
class LetterAdmin(ReadOnlyAdmin):
    """Reminders and announcements, and whether they arrived. What a letter said is not kept."""

    handbook = "staff/messages#what-became-of-a-letter"
    list_display = ("id", "kind", "user", "shown_status", "created_at", "due_at", "sent_at", "tries", "note")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), "kind", "channel")
    list_select_related = ("user",)
    search_fields = ("=user__email", "=subject_id")
    ordering = ("-id",)

    @labelled("status", ordering="status", colours=COLOURS)
    def shown_status(self, letter: Letter) -> tuple[str, str]:
        """Its code, for the colour, and its name."""
        return letter.status, named(LetterStatus(letter.status).label)


def what_lifting_does(rows: QuerySet[UnreachableAddress]) -> list[str]:
    """The preview of `lift`."""
    return [
        tell_of(
            rows.count(),
            "{count} address gets reminders and announcements again, from the next one on.",
            "{count} addresses get reminders and announcements again, from the next one on.",
        ),
        gettext("What was left out meanwhile is not sent. An address that comes back again is struck off again."),
    ]


@admin.register(UnreachableAddress)
class UnreachableAddressAdmin(ReadOnlyAdmin):
    """Whose address came back, or who reported us as spam. Another address of theirs begins anew."""

    handbook = "staff/messages#unreachable-addresses"
    list_display = ("user", "because", "at")
    list_filter = ("because",)
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    ordering = ("-at", "-pk")
    fields = ("user", "because", "at")
    actions = ("lift",)

    @confirmed(
        "Write to them again",
        permission="accounts.lift_unreachable",
        preview=what_lifting_does,
        done="are written to again",
    )
    def lift(self, request: HttpRequest, row: UnreachableAddress, reason: str) -> None:
        """Somebody says that the address works."""
        lift_unreachable(user=row.user, by=staff(request), now=database_now())


@admin.register(MessagePreferences)
class MessagePreferencesAdmin(ReadOnlyAdmin):
    """What players want to be written about; theirs to change."""

    handbook = "staff/messages#what-players-chose"
    list_display = ("user", "reminder_hours", "announcements", "quiet_from", "quiet_until", "time_zone", "language")
    list_select_related = ("user",)
    search_fields = ("=user__email",)
    ordering = ("-pk",)
