"""Of which entries a player wants reminders, channel by channel. Preferences say which reminders, for all of them."""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import Channel, User
from config import audit
from config.errors import Code, NotFound
from entries.models import Entry, ReminderOptOut

OFF, ON = "reminders.off", "reminders.on"


def reminders_of(entry: Entry) -> dict[str, bool]:
    """Channel by channel, whether reminders of the entry are wanted."""
    off = set(ReminderOptOut.objects.filter(entry=entry).values_list("channel", flat=True))
    return {channel: channel not in off for channel in Channel.values}


@transaction.atomic
def change_reminders(*, entry_id: int, user: User, changes: Mapping[str, bool]) -> Entry:
    """Turn reminders of an own entry off or on, by the channels given; it holds for whatever is sent from now on.

    The same again changes nothing. Refuses an entry that is not the user's with NOT_FOUND.
    """
    entry = Entry.objects.select_related("pool").locked().filter(pk=entry_id, user=user).first()
    if entry is None:
        raise NotFound(Code.NOT_FOUND, "There is no such entry.")
    for channel, is_wanted in changes.items():
        if is_wanted:
            changed = ReminderOptOut.objects.filter(entry=entry, channel=channel).delete()[0] > 0
        else:
            changed = ReminderOptOut.objects.get_or_create(entry=entry, channel=channel)[1]
        if changed:
            audit.record(action=ON if is_wanted else OFF, subject=entry, person=user, by=user, data={"way": channel})
    return entry
