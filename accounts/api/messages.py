"""What the caller wants to be written about, when, and in which language."""

from datetime import time
from typing import Any

from django.conf import settings
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.authentication import caller
from accounts.models import REMINDER_HOURS, MessagePreferences, UnreachableAddress, User
from accounts.services.letters.preferences import change_preferences, preferences_of
from config.api.operations import operation
from config.api.views import ApiView

# Named in the schema (`config.api.enum_names`).
LANGUAGES = settings.LANGUAGES
HOURS = [(hours, str(hours)) for hours in REMINDER_HOURS]
HOURS_HELP = "Hours before a lock at which you are reminded of each entry without a pick; none of them: never."
QUIET_ENDS = ("quiet_from", "quiet_until")
ZONE = "IANA name, such as Europe/Berlin; empty: that of the competition."
QUIET = (
    "Wall-clock time. In quiet hours nothing is sent; a reminder comes after them, or before where that is too late."
)


class WallClock(serializers.RegexField):
    """A time of day to the minute. Of a time zone it knows nothing, so it is no `time` as RFC 3339 has it."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", **kwargs)

    def to_representation(self, value: Any) -> str:
        """As it was given."""
        return f"{value:%H:%M}"


class MessagePreferencesOut(serializers.ModelSerializer[MessagePreferences]):
    """Reminders and announcements, by e-mail. Mails about money and the account are sent in any case."""

    quiet_from = WallClock(allow_null=True, help_text="Null: no quiet hours.")
    quiet_until = WallClock(allow_null=True)
    reachable = serializers.SerializerMethodField(help_text="False: our mails came back from your address.")

    examples = {
        "reminder_hours": [48, 12, 2], "quiet_from": "22:00", "quiet_until": "08:00", "time_zone": "America/New_York",
        "language": "en",
    }  # fmt: skip

    class Meta:
        model = MessagePreferences
        fields = (
            "reminder_hours", "announcements", "quiet_from", "quiet_until", "time_zone", "language", "reachable",
        )  # fmt: skip
        read_only_fields = fields
        extra_kwargs = {"reminder_hours": {"help_text": HOURS_HELP}, "time_zone": {"help_text": ZONE}}

    def get_reachable(self, preferences: MessagePreferences) -> bool:
        """Whether letters to the present address are sent at all."""
        return not UnreachableAddress.objects.filter(user_id=preferences.user_id).exists()


class MessagePreferencesBody(serializers.Serializer[Any]):
    """What may be changed, all of it optional."""

    reminder_hours = serializers.ListField(
        child=serializers.ChoiceField(choices=HOURS), required=False, max_length=len(REMINDER_HOURS),
        help_text=HOURS_HELP,
    )  # fmt: skip
    announcements = serializers.BooleanField(required=False, help_text="Whether staff's announcements are sent to you.")
    quiet_from = WallClock(required=False, allow_null=True, help_text=QUIET)
    quiet_until = WallClock(required=False, allow_null=True, help_text="At most twelve hours later.")
    time_zone = serializers.CharField(required=False, allow_blank=True, max_length=40, help_text=ZONE)
    language = serializers.ChoiceField(choices=LANGUAGES, required=False, allow_blank=True, help_text="Empty: English.")

    examples = {"reminder_hours": [12, 2], "quiet_from": "22:00", "quiet_until": "07:30", "time_zone": "Europe/Berlin"}


class MessagePreferencesView(ApiView):
    @operation(answer=MessagePreferencesOut, summary="Show what the caller is written about")
    def get(self, request: Request) -> Response:
        """Which reminders and announcements the caller gets, and when."""
        return Response(_shown(caller(request)))

    @operation(
        body=MessagePreferencesBody, answer=MessagePreferencesOut, summary="Change what the caller is written about"
    )
    def patch(self, request: Request) -> Response:
        """Change what is given. Quiet hours need both ends, or null for both; they last at most twelve hours."""
        given = self.valid_body()
        times = {field: time.fromisoformat(given[field]) for field in QUIET_ENDS if given.get(field)}
        change_preferences(user=caller(request), changes={**given, **times})
        return Response(_shown(caller(request)))


def _shown(user: User) -> Any:
    return MessagePreferencesOut(preferences_of(user)).data
