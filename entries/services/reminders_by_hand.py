"""Reminding the entries of one pool that lack a pick now, because somebody of staff says so.

The same letter as the reminders that go out by themselves, to the same readers: not to who turned reminders off, all of
them or those of the entry, whose address came back, who is excluded, who was reminded a little while ago, or by hand of
this lock before; and not in anybody's quiet hours. Who sleeps until an hour before the lock gets none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction

from accounts.models import NOBODYS_DOMAIN, User
from accounts.services.letters.quiet import NIGHT_SQL, WISHES_SQL
from accounts.services.letters.writing import write_sql
from config import audit, outbox
from config.errors import Code, Conflict
from config.locks import advisory_lock, allow_long_statements
from entries.models import BY_HAND
from entries.queries.grades import ASKED_SQL, CLOSES_AT_SQL, RULES_SQL
from entries.queries.rooms.standing import Room, room_of
from entries.services.reminders import KIND, LATELY, MOVED, OPTED_OUT_SQL, SEND_LETTERS, WITHOUT_PICK_SQL

MISSING = f"""
    SELECT e.id AS entry_id, e.user_id, wish.language, {CLOSES_AT_SQL} AS closes_at,
           coalesce(night.ended, clock_timestamp()) AS due_at,
           CASE WHEN wish.reminder_hours = '{{}}' OR {OPTED_OUT_SQL} THEN 'off'
                WHEN NOT u.is_active OR right(u.email, {len(NOBODYS_DOMAIN)}) = '{NOBODYS_DOMAIN}' OR EXISTS (
                    SELECT 1 FROM accounts_unreachableaddress n WHERE n.user_id = u.id) THEN 'unreachable'
                WHEN EXISTS (SELECT 1 FROM accounts_exclusion x WHERE x.user_id = u.id
                             AND (x.until IS NULL OR x.until > clock_timestamp())) THEN 'excluded'
                WHEN EXISTS (SELECT 1 FROM entries_reminder m WHERE m.entry_id = e.id AND m.round_id = r.id
                             AND (m.at > clock_timestamp() - %(lately)s
                                  OR m.hours = {BY_HAND} AND m.locks_at > {CLOSES_AT_SQL} - %(moved)s
                                  AND m.locks_at < {CLOSES_AT_SQL} + %(moved)s)) THEN 'reminded'
                WHEN night.ended >= {CLOSES_AT_SQL} - interval '1 hour' THEN 'asleep'
                ELSE '' END AS left_out
    FROM pools_pool p
    JOIN pools_competition c ON c.id = p.competition_id
    JOIN pools_round r ON r.id = %(round)s
    {RULES_SQL}
    JOIN entries_entry e ON e.pool_id = p.id
    JOIN accounts_user u ON u.id = e.user_id
    {WISHES_SQL.format(zone="c.time_zone")}
    {NIGHT_SQL.format(at="clock_timestamp()")}
    WHERE p.id = %(pool)s AND p.status IN ('open', 'running') AND {CLOSES_AT_SQL} > clock_timestamp()
      AND {WITHOUT_PICK_SQL.format(asked=ASKED_SQL)}
"""

COUNT = f"""
    SELECT left_out, count(*), count(DISTINCT user_id),
           count(DISTINCT user_id) FILTER (WHERE due_at > clock_timestamp())
    FROM ({MISSING}) missing GROUP BY left_out
"""

LETTERS = write_sql("""
    SELECT user_id, %(kind)s, %(round)s,
           concat_ws('-', %(kind)s, 'hand', %(round)s, extract(epoch FROM closes_at)::bigint, user_id,
                     min(entry_id)),
           min(language), min(due_at), closes_at
    FROM missing WHERE left_out = '' GROUP BY user_id, closes_at
""")

REMIND = f"""
    WITH missing AS MATERIALIZED ({MISSING}), letters AS ({LETTERS})
    INSERT INTO entries_reminder (entry_id, round_id, hours, locks_at, letter_id)
    SELECT missing.entry_id, %(round)s, {BY_HAND}, missing.closes_at, letters.id
    FROM missing JOIN letters USING (user_id) WHERE missing.left_out = ''
    ON CONFLICT ON CONSTRAINT reminder_once DO NOTHING
"""


@dataclass(frozen=True)
class ReminderReach:
    """Who would be reminded: entries, their players, how many of those after their quiet hours; and who is left out."""

    entries: int
    players: int
    later: int
    left_out: Mapping[str, int]


class NothingToRemindOf(Conflict):
    """Nobody can pick any more, or the pool is not in play."""

    def __init__(self) -> None:
        super().__init__(Code.ROUND_NOT_OPEN, "No pick for this round can be made in this pool: there is no reminder.")


def reminder_reach(room: Room) -> ReminderReach:
    """Whom a reminder would reach now, and why others not, in entries."""
    with transaction.atomic(), connection.cursor() as cursor:
        allow_long_statements()
        cursor.execute(COUNT, _about(room))
        rows = {why: counts for why, *counts in cursor.fetchall()}
    entries, players, later = rows.pop("", [0, 0, 0])
    return ReminderReach(entries, players, later, {why: counts[0] for why, counts in sorted(rows.items())})


def remind_now(*, room: Room, by: User) -> int:
    """Write a letter to everybody it reaches, in one statement; of how many entries. Twice at once writes one each.

    Refuses a pool that is not in play, and a round for which no pick can be made any more.
    """
    # Not in the transaction: a reveal keeps players from their picks until its own has ended.
    room = room_of(room.pool, room.round.number)
    if not room.can_be_reminded_of or room.pool.status not in ("open", "running"):
        raise NothingToRemindOf
    with transaction.atomic():
        allow_long_statements()
        advisory_lock("reminders", room.round.pk)
        with connection.cursor() as cursor:
            cursor.execute(REMIND, {**_about(room), "kind": KIND})
            count = int(cursor.rowcount)
        audit.record(action="reminder.sent", subject=room.pool, by=by, data={"count": count})
        if count:
            transaction.on_commit(lambda: outbox.hurry(SEND_LETTERS))
    return count


def _about(room: Room) -> dict[str, Any]:
    return {"pool": room.pool.pk, "round": room.round.pk, "lately": LATELY, "moved": MOVED}
