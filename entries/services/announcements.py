"""Announcements to the players of a pool: written, looked at, sent once, and stopped as far as they still wait.

Who gets one: the pool's players whose address takes mail, unless they turned announcements off or are excluded; by
letters, which wait for the end of each reader's quiet hours. It reads in the reader's language where it was written in
it, else in English.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import connection, transaction

from accounts.models import Letter, LetterStatus, User
from accounts.models.message_templates import BODY_LENGTH, SUBJECT_LENGTH
from accounts.services.letters.quiet import NIGHT_SQL, WISHES_SQL
from accounts.services.letters.templates import text_faults
from accounts.services.letters.writing import write_sql
from config import audit, outbox
from config.clock import ClockTimestamp
from config.errors import Code, Malformed, TooMany
from config.locks import allow_long_statements
from config.phrases import phrase
from entries.models import Announcement, AnnouncementStatus, Audience
from entries.queries.audience import PLAYERS
from pools.models import Pool

KIND = "announcement"
SEND_LETTERS = "accounts.tasks.send_letters"
# What an announcement may have filled in.
PLACEHOLDERS = ("name", "pool")
# In a day, of one pool: who gets more turns them off.
MOST_A_DAY = 3
# What nobody could send for so long is stale.
WORTH_FOR = timedelta(days=3)

ACTIVE = f"""
    SELECT q.user_id FROM ({PLAYERS}) q WHERE EXISTS (
        SELECT 1 FROM entries_entry e WHERE e.pool_id = %(pool)s AND e.user_id = q.user_id AND e.status = 'active')
"""

# Each player of the audience, in which language, from when on, and why not.
READERS = f"""
    SELECT q.user_id, CASE WHEN wish.language = ANY(%(languages)s) THEN wish.language ELSE 'en' END AS language,
           coalesce(night.ended, clock_timestamp()) AS due_at,
           CASE WHEN NOT wish.announcements THEN 'off'
                WHEN EXISTS (SELECT 1 FROM accounts_exclusion x WHERE x.user_id = q.user_id
                             AND (x.until IS NULL OR x.until > clock_timestamp())) THEN 'excluded'
                WHEN EXISTS (SELECT 1 FROM accounts_unreachableaddress n WHERE n.user_id = q.user_id) THEN 'unreachable'
                ELSE '' END AS left_out
    FROM ({{players}}) q
    JOIN accounts_user u ON u.id = q.user_id
    JOIN pools_pool p ON p.id = %(pool)s
    JOIN pools_competition c ON c.id = p.competition_id
    {WISHES_SQL.format(zone="c.time_zone")}
    {NIGHT_SQL.format(at="clock_timestamp()")}
"""

COUNT = "SELECT language, left_out, due_at > clock_timestamp(), count(*) FROM ({readers}) readers GROUP BY 1, 2, 3"

LETTERS = write_sql("""
    SELECT user_id, %(kind)s, %(announcement)s::bigint, concat_ws('-', %(kind)s, %(announcement)s, user_id), language,
           due_at, due_at + %(worth)s
    FROM ({readers}) readers WHERE left_out = ''
""")


@dataclass(frozen=True)
class Reach:
    """Who would get it: how many in each language, how many of them after their quiet hours, and why others do not."""

    by_language: Mapping[str, int]
    later: int
    left_out: Mapping[str, int]

    @property
    def total(self) -> int:
        """How many letters."""
        return sum(self.by_language.values())


class EnoughForToday(TooMany):
    """So many announcements a day are read by nobody."""

    def __init__(self) -> None:
        super().__init__(
            Code.RATE_LIMITED,
            phrase("The pool has had {most} announcements within 24 hours. Wait with this one.", most=MOST_A_DAY),
        )


@transaction.atomic
def write_announcement(*, pool: Pool, audience: str, texts: Mapping[str, Mapping[str, str]], by: User) -> Announcement:
    """Keep a draft. `texts` by language, each with `subject` and `body`; English is there in any case.

    Refuses unknown languages, audiences and placeholders, with field → faults, fields as `subject_en`.
    """
    faults = announcement_faults(texts)
    if audience not in Audience.values:
        faults["audience"] = ["There is no such audience."]
    if faults:
        raise Malformed(Code.VALIDATION_ERROR, "Some fields are not valid.", faults)
    made = Announcement.objects.create(
        pool=pool, audience=audience, written_by=by,
        texts={
            language: {"subject": " ".join(text["subject"].split()), "body": text["body"].strip()}
            for language, text in texts.items()
        },
    )  # fmt: skip
    audit.record(action="announcement.written", subject=made, by=by)
    return made


@transaction.atomic
def send_announcement(*, announcement: Announcement, by: User, now: datetime) -> Announcement:
    """Write a letter to everybody it reaches, in one statement. Refuses one that is no draft, and the fourth a day."""
    allow_long_statements()
    # Two of one pool come one after the other, so that both are counted.
    Pool.objects.locked().get(pk=announcement.pool_id)
    announcement = Announcement.objects.locked().get(pk=announcement.pk)
    announcement.move_to(AnnouncementStatus.SENT)
    lately = Announcement.objects.filter(pool=announcement.pool_id, sent_at__gt=now - timedelta(days=1))
    if lately.count() >= MOST_A_DAY:
        raise EnoughForToday
    ask = {**_about(announcement), "kind": KIND, "announcement": announcement.pk, "worth": WORTH_FOR}
    with connection.cursor() as cursor:
        cursor.execute(LETTERS.format(readers=_readers(announcement)), ask)
        announcement.recipients = int(cursor.rowcount)
    announcement.sent_by, announcement.sent_at = by, ClockTimestamp()
    announcement.save(update_fields=["status", "sent_by", "sent_at", "recipients"])
    audit.record(action="announcement.sent", subject=announcement, by=by, data={"count": announcement.recipients})
    transaction.on_commit(lambda: outbox.hurry(SEND_LETTERS))
    announcement.refresh_from_db()
    return announcement


@transaction.atomic
def withdraw_announcement(*, announcement: Announcement, by: User) -> Announcement:
    """Take a draft back. Refuses one that was sent: that can only be stopped."""
    announcement = Announcement.objects.locked().get(pk=announcement.pk)
    announcement.move_to(AnnouncementStatus.WITHDRAWN)
    announcement.save(update_fields=["status"])
    audit.record(action="announcement.withdrawn", subject=announcement, by=by)
    return announcement


@transaction.atomic
def stop_announcement(*, announcement: Announcement, by: User) -> Announcement:
    """Leave out whoever has not got it yet. Refuses one that was not sent. What is out is out."""
    announcement = Announcement.objects.locked().get(pk=announcement.pk)
    announcement.move_to(AnnouncementStatus.STOPPED)
    announcement.save(update_fields=["status"])
    waiting = Letter.objects.filter(kind=KIND, subject_id=announcement.pk, status=LetterStatus.QUEUED)
    count = waiting.update(status=LetterStatus.SKIPPED, status_at=ClockTimestamp(), note="stopped")
    audit.record(action="announcement.stopped", subject=announcement, by=by, data={"count": count})
    return announcement


def reach_of(announcement: Announcement) -> Reach:
    """Whom it would reach now."""
    by_language: dict[str, int] = {}
    left_out: dict[str, int] = {}
    later = 0
    with connection.cursor() as cursor:
        cursor.execute(COUNT.format(readers=_readers(announcement)), _about(announcement))
        for language, why, is_later, count in cursor.fetchall():
            if why:
                left_out[why] = left_out.get(why, 0) + count
            else:
                by_language[language] = by_language.get(language, 0) + count
                later += count if is_later else 0
    return Reach(by_language, later, left_out)


def announcement_faults(texts: Mapping[str, Mapping[str, str]]) -> dict[str, list[str]]:
    """Field, as `body_de` → what is wrong with it."""
    faults: dict[str, list[str]] = {}
    if "en" not in texts:
        faults["subject_en"] = ["Write it in English in any case."]
    for language, text in texts.items():
        if language not in dict(settings.LANGUAGES):
            faults[f"subject_{language}"] = ["Not one of our languages."]
        for field, longest in (("subject", SUBJECT_LENGTH), ("body", BODY_LENGTH)):
            said = text_faults(text[field], PLACEHOLDERS, longest=longest)
            if said:
                faults[f"{field}_{language}"] = said
    return faults


def _about(announcement: Announcement) -> dict[str, Any]:
    return {"pool": announcement.pool_id, "languages": sorted(announcement.texts)}


def _readers(announcement: Announcement) -> str:
    return READERS.format(players=ACTIVE if announcement.audience == Audience.ACTIVE else PLAYERS)
