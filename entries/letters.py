"""What the letters of this app say, made at the moment they are sent, from the rows as they stand then."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import connection
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Channel, Letter, MessagePreferences, User
from accounts.services.letters import kinds
from accounts.services.letters.kinds import Composed
from accounts.services.letters.quiet import WISHES_SQL
from accounts.services.letters.templates import Wording, wordings
from entries.models import Announcement, AnnouncementStatus
from entries.queries.grades import ASKED_SQL, CLOSES_AT_SQL, RULES_SQL
from entries.services.announcements import KIND as ANNOUNCEMENT
from entries.services.reminder_wishes import change_reminders
from entries.services.reminders import KIND as REMINDER
from entries.services.reminders import OPTED_OUT_SQL, WITHOUT_PICK_SQL

# What each of these letters is still right about: entries that lack a pick now, and when it will be too late.
STILL_MISSING = f"""
    SELECT m.letter_id, e.id, p.name, e.number, r.name, {CLOSES_AT_SQL}, wish.zone
    FROM entries_reminder m
    JOIN entries_entry e ON e.id = m.entry_id
    JOIN accounts_user u ON u.id = e.user_id
    JOIN pools_pool p ON p.id = e.pool_id AND p.status IN ('open', 'running')
    JOIN pools_competition c ON c.id = p.competition_id
    JOIN pools_round r ON r.id = m.round_id
    {RULES_SQL}
    {WISHES_SQL.format(zone="c.time_zone")}
    WHERE m.letter_id = ANY(%(letters)s) AND {CLOSES_AT_SQL} > clock_timestamp()
      AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
      AND {WITHOUT_PICK_SQL.format(asked=ASKED_SQL)} AND NOT {OPTED_OUT_SQL}
    ORDER BY m.letter_id, p.name, e.pool_id, e.number
"""


class MissingPick(NamedTuple):
    """An entry that lacks a pick, for its owner's eyes."""

    entry: int
    pool: str
    number: int
    round: str
    locks_at: datetime
    zone: str


def compose_reminders(letters: Sequence[Letter]) -> Mapping[int, Composed]:
    """Each letter names all entries that still lack a pick; left out where none does. Two queries for all."""
    missing: dict[int, list[MissingPick]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(STILL_MISSING, {"letters": [letter.pk for letter in letters]})
        for letter_id, *row in cursor.fetchall():
            missing[letter_id].append(MissingPick(*row))
    says = wordings(REMINDERS, {letter.language for letter in letters})
    return {
        letter.pk: _reminder(letter, missing[letter.pk], says[letter.language])
        for letter in letters
        if missing[letter.pk]
    }


def _reminder(letter: Letter, missing: Sequence[MissingPick], wording: Wording) -> Composed:
    with translation.override(letter.language):
        lines = [
            _("{pool}, entry {number}: {round} locks on {at}.").format(
                pool=one.pool, number=one.number, round=one.round, at=_shown(one.locks_at, one.zone)
            )
            for one in missing
        ]
        apart = [(_name(one.pool, one.number), one.entry) for one in missing]
    said = wording.filled_in(
        {
            "name": letter.user.display_name,
            "round": missing[0].round,
            "count": str(len(missing)),
            "entries": "\n".join(f"• {line}" for line in lines),
            "link": settings.PUBLIC_URL,
        }
    )
    return replace(said, apart=apart)


def _name(pool: str, number: int) -> str:
    return _("{pool}, entry {number}").format(pool=pool, number=number)


def _shown(at: datetime, zone: str) -> str:
    """The instant as its reader's clock shows it, without names of days and months: those are of one language."""
    return f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"


def _wants_reminders(preferences: MessagePreferences) -> bool:
    return bool(preferences.reminder_hours)


def _stop_reminders(preferences: MessagePreferences) -> None:
    preferences.reminder_hours = []


def _stop_reminders_of(user: User, entry_id: int) -> str:
    """Turn them off for one entry, by e-mail; what the page then says that there is no more of."""
    entry = change_reminders(entry_id=entry_id, user=user, changes={Channel.EMAIL: False})
    return _("reminders of {entry}").format(entry=_name(entry.pool.name, entry.number))


REMINDERS = kinds.Kind(
    name=REMINDER,
    what=gettext_lazy("reminders"),
    compose=compose_reminders,
    wanted=_wants_reminders,
    stop=_stop_reminders,
    stop_one=_stop_reminders_of,
    subject=gettext_lazy("No pick yet: {round}"),
    body=gettext_lazy(
        "Hello {name},\n\nyou have entries without a pick:\n\n{entries}\n\n"
        "Once a round has locked, no pick can be made any more. Pick here: {link}"
    ),
    example={
        "name": "Ann",
        "round": "Week 3",
        "count": "2",
        "entries": "• The big one, entry 1: Week 3 locks on 2026-09-24 20:15 EDT.\n"
        "• The big one, entry 3: Week 3 locks on 2026-09-24 20:15 EDT.",
        "link": "https://play.example.org",
    },
)
kinds.register(REMINDERS)


def compose_announcements(letters: Sequence[Letter]) -> Mapping[int, Composed]:
    """What staff wrote, in each reader's language; nothing of one that was stopped. Two queries for all."""
    ids = {letter.subject_id for letter in letters}
    sent = Announcement.objects.select_related("pool").filter(pk__in=ids, status=AnnouncementStatus.SENT).in_bulk()
    frames = wordings(ANNOUNCEMENTS, {letter.language for letter in letters})
    return {
        letter.pk: announced(
            sent[letter.subject_id], letter.language, name=letter.user.display_name, frame=frames[letter.language]
        )
        for letter in letters
        if letter.subject_id in sent
    }


def announced(announcement: Announcement, language: str, *, name: str, frame: Wording | None = None) -> Composed:
    """The announcement as somebody of this name reads it."""
    pool = announcement.pool.name
    text = announcement.texts.get(language) or announcement.texts["en"]
    message = Wording(text["subject"], text["body"]).filled_in({"name": name, "pool": pool})
    frame = frame or wordings(ANNOUNCEMENTS, [language])[language]
    return frame.filled_in({"name": name, "pool": pool, "subject": message.subject, "message": message.text})


def _wants_announcements(preferences: MessagePreferences) -> bool:
    return preferences.announcements


def _stop_announcements(preferences: MessagePreferences) -> None:
    preferences.announcements = False


ANNOUNCEMENTS = kinds.Kind(
    name=ANNOUNCEMENT,
    what=gettext_lazy("announcements"),
    compose=compose_announcements,
    wanted=_wants_announcements,
    stop=_stop_announcements,
    subject=gettext_lazy("{pool}: {subject}"),
    body=gettext_lazy("Hello {name},\n\n{message}"),
    example={
        "name": "Ann",
        "pool": "The big one",
        "subject": "Thanksgiving is a round of its own",
        "message": "Week 13 has two rounds: one for Thursday and Friday, one for Sunday and Monday.",
    },
)
kinds.register(ANNOUNCEMENTS)
