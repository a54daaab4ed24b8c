"""Reminding entries without a pick, 48, 12 and 2 hours before the lock.

The lock is the instant after which no pick for the round can change: where each game locks for itself, the kickoff of
the last. Written are the reminders whose time has come and no others, so a sweep that comes late, twice, or never for a
while does no harm: an entry gets one reminder of a lock and a stage at most (`reminder_once`), and of stages that were
missed the last alone. A lock that moves by `MOVED` or more is a new one, and is reminded of again. Where staff had
somebody reminded by hand (`reminders_by_hand`), the next one that goes out by itself keeps `LATELY` from it.

One letter names all entries of its reader that lack a pick. It tells of no pick that was made, and is composed when it
is sent (`entries.letters`): whoever has picked meanwhile gets none.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db import connection, transaction

from accounts.models import NOBODYS_DOMAIN, REMINDER_HOURS
from accounts.services.letters.quiet import NIGHT_SQL, WISHES_SQL
from accounts.services.letters.writing import write_sql
from config import outbox
from config.housekeeping import forgets
from config.locks import try_advisory_lock
from entries.models import BY_HAND, Reminder
from entries.queries.grades import ASKED_SQL, CLOSES_AT_SQL, PICKABLE_SQL, RULES_SQL, SAT_OUT_SQL

KIND = "reminder"
SEND_LETTERS = "accounts.tasks.send_letters"
KEPT_DAYS = 60
# A kickoff that television moves by minutes is no news.
MOVED = timedelta(hours=1)
# Who was reminded so lately is not reminded again.
LATELY = timedelta(hours=2)
# Quiet hours may bring a reminder forward by a night of twelve hours, and the sweep comes every few minutes.
AHEAD = timedelta(hours=max(REMINDER_HOURS) + 13)

_AHEAD: dict[str, Any] = {"ahead": AHEAD}

# Rounds whose lock comes near, with the pools that play them and how many picks each asks for.
NEAR = f"""
    SELECT near.id, near.number, near.closes_at, array_agg(near.pool_id ORDER BY near.pool_id),
           array_agg(near.asked ORDER BY near.pool_id)
    FROM (
        SELECT r.id, r.number, p.id AS pool_id, {ASKED_SQL} AS asked, {CLOSES_AT_SQL} AS closes_at
        FROM pools_pool p
        JOIN pools_round r ON r.competition_id = p.competition_id
            AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
        {RULES_SQL}
        WHERE p.status IN ('open', 'running') AND r.locks_at <= clock_timestamp() + %(ahead)s AND {PICKABLE_SQL}
    ) near
    WHERE near.closes_at > clock_timestamp() AND near.closes_at <= clock_timestamp() + %(ahead)s
    GROUP BY near.id, near.number, near.closes_at ORDER BY near.closes_at, near.id
"""

# Each stage, the one after it, and when it is sent to reader `u`: later than in the quiet hours if that is still before
# the next stage and an hour before the lock, else before they begin.
STAGES = ", ".join(f"({hours}, {after})" for hours, after in zip(REMINDER_HOURS, (*REMINDER_HOURS[1:], 1), strict=True))
STAGE_SQL = f"""
    CROSS JOIN LATERAL (
        SELECT stages.hours, due.sends_at
        FROM (VALUES {STAGES}) AS stages (hours, after)
        {NIGHT_SQL.format(at="(%(closes_at)s - make_interval(hours => stages.hours))")}
        CROSS JOIN LATERAL (SELECT CASE
            WHEN night.ended IS NULL THEN %(closes_at)s - make_interval(hours => stages.hours)
            WHEN night.ended < %(closes_at)s - make_interval(hours => stages.after) THEN night.ended
            ELSE night.began - interval '10 minutes' END AS sends_at) due
        WHERE due.sends_at <= clock_timestamp() ORDER BY stages.hours LIMIT 1
    ) stage
"""

# Also what should have been sent long ago waits for the morning, if that leaves an hour.
IN_THE_NIGHT_SQL = f"""
    EXISTS (SELECT 1 FROM (SELECT 1) now {NIGHT_SQL.format(at="clock_timestamp()")}
            WHERE night.ended < %(closes_at)s - interval '1 hour')
"""

# Entries that could pick for round `r`, have not, and would be put out by it or lose a life.
WITHOUT_PICK_SQL = f"""
    e.status = 'active' AND r.number >= e.first_round_number AND NOT (e.is_suspended AND NOT p.suspended_may_pick)
    AND (SELECT count(*) FROM entries_pick k WHERE k.entry_id = e.id AND k.round_id = r.id AND k.slot <= {{asked}})
        < {{asked}}
    AND NOT {SAT_OUT_SQL}
"""

# Of the entry `e`: its player wants no reminders of it.
OPTED_OUT_SQL = "EXISTS (SELECT 1 FROM entries_reminderoptout o WHERE o.entry_id = e.id AND o.channel = 'email')"

MISSING = f"""
    SELECT e.id AS entry_id, e.user_id, stage.hours, wish.language
    FROM unnest(%(pools)s::bigint[], %(asked)s::int[]) AS chosen (pool_id, asked)
    JOIN pools_pool p ON p.id = chosen.pool_id
    JOIN pools_competition c ON c.id = p.competition_id
    JOIN pools_round r ON r.id = %(round)s
    JOIN entries_entry e ON e.pool_id = p.id
    JOIN accounts_user u ON u.id = e.user_id AND u.is_active
        AND right(u.email, {len(NOBODYS_DOMAIN)}) <> '{NOBODYS_DOMAIN}'
    {WISHES_SQL.format(zone="c.time_zone")}
    {STAGE_SQL}
    WHERE {WITHOUT_PICK_SQL.format(asked="chosen.asked")}
      AND NOT {IN_THE_NIGHT_SQL}
      -- Who came in after the stage's time has just been told to pick.
      AND e.created_at <= stage.sends_at
      AND NOT {OPTED_OUT_SQL}
      AND (wish.reminder_hours IS NULL OR stage.hours = ANY(wish.reminder_hours))
      AND NOT EXISTS (
          SELECT 1 FROM entries_reminder m WHERE m.entry_id = e.id AND m.round_id = r.id AND m.hours = stage.hours
            AND m.channel = 'email' AND m.locks_at > %(closes_at)s - %(moved)s
            AND m.locks_at < %(closes_at)s + %(moved)s)
      -- Nor beside a letter that staff had written a little while ago, or that waits for the morning.
      AND NOT EXISTS (
          SELECT 1 FROM entries_reminder m JOIN accounts_letter l ON l.id = m.letter_id
          WHERE m.entry_id = e.id AND m.round_id = r.id AND m.hours = {BY_HAND}
            AND greatest(m.at, l.due_at) > clock_timestamp() - %(lately)s)
"""

# The key has the entry that makes a letter necessary: one that came in later is worth another letter.
LETTERS = write_sql("""
    SELECT user_id, %(kind)s, %(round)s,
           concat_ws('-', %(kind)s, %(round)s, hours, extract(epoch FROM %(closes_at)s)::bigint, user_id,
                     min(entry_id)),
           min(language), clock_timestamp(), %(closes_at)s
    FROM missing GROUP BY user_id, hours
""")

REMIND = f"""
    WITH missing AS MATERIALIZED ({MISSING}), letters AS ({LETTERS})
    INSERT INTO entries_reminder (entry_id, round_id, hours, locks_at, letter_id)
    SELECT missing.entry_id, %(round)s, missing.hours, %(closes_at)s, letters.id
    FROM missing JOIN letters USING (user_id)
    ON CONFLICT ON CONSTRAINT reminder_once DO NOTHING
"""


class Near(NamedTuple):
    """A round that locks soon, with the pools it locks for at that instant."""

    round: int
    number: int
    closes_at: datetime
    pools: list[int]
    asked: list[int]


def write_due_reminders() -> int:
    """Write the reminders whose time has come, a statement for each round that locks soon; of how many entries."""
    count = sum(_remind(near) for near in rounds_near())
    if count:
        outbox.hurry(SEND_LETTERS)
    return count


def rounds_near() -> list[Near]:
    """Rounds that lock within `AHEAD`, the next first."""
    with connection.cursor() as cursor:
        cursor.execute(NEAR, _AHEAD)
        return [Near(*row) for row in cursor.fetchall()]


@transaction.atomic
def _remind(near: Near) -> int:
    """In one transaction with the letters. Somebody who writes those of the round already is not waited for."""
    if not try_advisory_lock("reminders", near.round):
        return 0
    ask: dict[str, Any] = {
        "kind": KIND, "round": near.round, "closes_at": near.closes_at, "pools": near.pools, "asked": near.asked,
        "moved": MOVED, "lately": LATELY,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(REMIND, ask)
        return int(cursor.rowcount)


@forgets("reminders", f"{KEPT_DAYS} days after they were written", task="entries.tasks.forget_old_reminders")
def forget_old_reminders(*, now: datetime, limit: int = 10_000) -> int:
    """Delete reminders of locks long past; how many. Their letters are kept longer."""
    old = Reminder.objects.filter(at__lt=now - timedelta(days=KEPT_DAYS)).order_by("at")
    ids = list(old.values_list("pk", flat=True)[:limit])
    return Reminder.objects.filter(pk__in=ids).delete()[0]
