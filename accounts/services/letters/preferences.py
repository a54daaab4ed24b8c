"""What somebody wants to be written about, when, and in which language."""

from collections.abc import Callable, Mapping
from datetime import time, timedelta
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DataError, connection, transaction

from accounts.models import REMINDER_HOURS, MessagePreferences, User
from accounts.services.closing import forgets
from accounts.services.details import cleaned
from config import audit
from config.phrases import ORIGINAL, tell

CHANGEABLE = ("reminder_hours", "announcements", "quiet_from", "quiet_until", "time_zone", "language")
# Longer than a night, and a reminder of twelve hours before would come a day early.
LONGEST_QUIET = timedelta(hours=12)


def preferences_of(user: User) -> MessagePreferences:
    """What holds for this person, whether they ever said so or not."""
    return MessagePreferences.objects.filter(user=user).first() or MessagePreferences(user=user)


def language_of(user: User) -> str:
    """In which language this person is written to."""
    return preferences_of(user).language or ORIGINAL


@transaction.atomic
def change_preferences(*, user: User, changes: Mapping[str, Any], by: User | None = None) -> MessagePreferences:
    """Change what is in `changes`, of CHANGEABLE, and nothing else; it holds for whatever is sent from now on.

    Quiet hours have a beginning and an end, at most `LONGEST_QUIET` apart, or neither (None). Refuses with
    VALIDATION_ERROR.
    """
    MessagePreferences.objects.get_or_create(user=user)
    found = MessagePreferences.objects.select_for_update(of=("self",)).get(user=user)
    checks: dict[str, Callable[[Any], Any]] = {
        "reminder_hours": _hours, "announcements": bool, "quiet_from": _as_is, "quiet_until": _as_is,
        "time_zone": _zone, "language": _language,
    }  # fmt: skip
    values = cleaned({field: (checks[field], value) for field, value in changes.items()})
    quiet = (values.get("quiet_from", found.quiet_from), values.get("quiet_until", found.quiet_until))
    cleaned({"quiet_until": (_quiet, quiet)})
    changed = sorted(field for field, value in values.items() if getattr(found, field) != value)
    for field in changed:
        setattr(found, field, values[field])
    if changed:
        found.save(update_fields=changed)
        audit.record(
            action="messages.changed", subject=user, person=user, by=by or user, data={"fields": changed}
        )  # fmt: skip
    return found


@forgets
def forget_preferences(user: User) -> None:
    """The account is closed."""
    MessagePreferences.objects.filter(user=user).delete()


def _as_is(value: time | None) -> time | None:
    return value


def _hours(value: list[int]) -> list[int]:
    if not set(value) <= set(REMINDER_HOURS):
        raise ValidationError(tell("Of these alone: {choices}.", choices=", ".join(map(str, REMINDER_HOURS))))
    return sorted(set(value), reverse=True)


def _quiet(value: tuple[time | None, time | None]) -> None:
    start, end = value
    if (start is None) != (end is None):
        raise ValidationError("Quiet hours need a beginning and an end, or neither.")
    if start is None or end is None:
        return
    length = timedelta(minutes=(end.hour - start.hour) * 60 + end.minute - start.minute) % timedelta(days=1)
    if not timedelta() < length <= LONGEST_QUIET:
        raise ValidationError("Quiet hours last at least a minute and at most twelve hours.")


def _zone(value: str) -> str:
    if value and not (value in available_timezones() and _is_known_to_database(value)):
        raise ValidationError("Not a time zone: give its IANA name, such as Europe/Berlin.")
    return value


def _is_known_to_database(zone: str) -> bool:
    """PostgreSQL reckons with it, and would refuse everybody's reminders over one name."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SELECT clock_timestamp() AT TIME ZONE %s", [zone])
    except DataError:
        return False
    return True


def _language(value: str) -> str:
    known = [code for code, _ in settings.LANGUAGES]
    if value and value not in known:
        raise ValidationError(tell("Of these alone: {choices}.", choices=", ".join(known)))
    return value
