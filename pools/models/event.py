"""What happened to a pool, one row each, in the order in which it came true: what is told live, and to whoever comes
back and asks for what was missed.

A row is written in the transaction of what it tells, and numbered when that commits: transactions that tell something
take turns for the length of their commit. So the numbers of a pool run 1, 2, 3 without a gap, and whoever has seen
number n never finds a lower one appear. An event holds ids, codes, counts and scores: no name, and nothing of a pick
before its reveal.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.webhook_feeds import tells_subscribers
from accounts.models.webhook_types import EventType
from config.triggers import Guard
from pools.models.pool import Pool

# Taken at commit by transactions that tell something.
NUMBERING_LOCK = 7719
# What listeners are woken on. It only hurries: they look every second anyway.
CHANNEL = "pool_events"
KEPT_DAYS = 30


# Of what is told live, what subscribers are sent as well; nothing of it is about a person.
SENT = (
    EventType.ROUND_LOCKED,
    EventType.ROUND_REVEALED,
    EventType.GAME_FINAL,
    EventType.GAME_CORRECTED,
    EventType.ENTRIES_ELIMINATED,
    EventType.WINNERS_DECLARED,
    EventType.WINNERS_WITHDRAWN,
    EventType.POOL_STARTED,
    EventType.POOL_ENDED,
    EventType.POOL_REOPENED,
    EventType.POOL_CANCELLED,
)
SENT_ROWS = """
    SELECT n.kind AS type, 'pool-event-' || n.id AS key, NULL::bigint AS user_id, n.pool_id,
           jsonb_build_object('pool', n.pool_id) || n.data AS data
    FROM new_rows n
"""


class EventKind(models.TextChoices):
    """Values of `kind` in the API."""

    ROUND_LOCKED = "round.locked"
    ROUND_REVEALED = "round.revealed"
    GAME_LOCKED = "game.locked"
    GAME_FINAL = "game.final"
    GAME_CORRECTED = "game.corrected"
    GAME_CALLED_OFF = "game.called_off"
    GAME_BACK_ON = "game.back_on"
    ENTRIES_ELIMINATED = "entries.eliminated"
    ENTRIES_REVIVED = "entries.revived"
    ENTRIES_CHANGED = "entries.changed"
    WINNERS_DECLARED = "winners.declared"
    WINNERS_WITHDRAWN = "winners.withdrawn"
    POOL_STARTED = "pool.started"
    POOL_ENDED = "pool.ended"
    POOL_REOPENED = "pool.reopened"
    POOL_CANCELLED = "pool.cancelled"


class PoolEvent(models.Model):
    """One thing that happened. Without a number only inside its own transaction."""

    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="events", db_index=False)
    number = models.BigIntegerField(null=True, editable=False)
    kind = models.CharField(max_length=20, choices=EventKind)
    data = models.JSONField()
    at = models.DateTimeField(null=True, editable=False)
    key = models.CharField(max_length=40, null=True, help_text="Of what is told once, whoever notices it.")  # noqa: DJ001  # many have none, and those are not equal

    class Meta:
        ordering: ClassVar = ["pool", "number"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "number"], name="pool_event_number_unique"),
            models.UniqueConstraint(fields=["pool", "key"], name="pool_event_key_unique"),
            models.CheckConstraint(condition=Q(kind__in=EventKind.values), name="pool_event_kind_known"),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(number__isnull=True), name="pool_event_unnumbered"),
            models.Index(fields=["at"], name="pool_event_at"),
        ]
        triggers = [
            tells_subscribers(SENT_ROWS, types=SENT, person=False),
            Guard(
                name="unnumbered",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # Numbers are given at commit alone: one that was brought along could be lower than what is known.
                func="NEW.number := NULL; NEW.at := NULL; RETURN NEW;",
            ),
            Guard(
                name="numbered",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                func=f"""
                    -- The first row of a transaction numbers all of them.
                    IF NOT EXISTS (SELECT 1 FROM pools_poolevent WHERE id = NEW.id AND number IS NULL) THEN
                        RETURN NULL;
                    END IF;
                    PERFORM pg_advisory_xact_lock({NUMBERING_LOCK});
                    INSERT INTO pools_pooleventcount (pool_id, last)
                    SELECT DISTINCT pool_id, 0 FROM pools_poolevent WHERE number IS NULL ON CONFLICT DO NOTHING;
                    WITH waiting AS (
                        SELECT id, pool_id, row_number() OVER (PARTITION BY pool_id ORDER BY id) AS nth,
                               count(*) OVER (PARTITION BY pool_id) AS many
                        FROM pools_poolevent WHERE number IS NULL
                    ), counted AS (
                        UPDATE pools_pooleventcount c SET last = c.last + w.many
                        FROM (SELECT DISTINCT pool_id, many FROM waiting) w WHERE w.pool_id = c.pool_id
                        RETURNING c.pool_id, c.last - w.many AS before
                    )
                    UPDATE pools_poolevent e SET number = counted.before + waiting.nth, at = clock_timestamp()
                    FROM waiting JOIN counted USING (pool_id) WHERE e.id = waiting.id;
                    PERFORM pg_notify('{CHANNEL}', '');
                    RETURN NULL;
                """,
            ),
            Guard(
                name="kept",
                when=pgtrigger.Before,
                operation=pgtrigger.Update | pgtrigger.Delete,
                # Whoever comes back is told what was missed: nothing of it changes, and it goes only when it is old.
                func=f"""
                    IF TG_OP = 'DELETE' AND OLD.at < clock_timestamp() - interval '{KEPT_DAYS} days' THEN
                        RETURN OLD;
                    END IF;
                    IF TG_OP = 'UPDATE' AND OLD.number IS NULL AND NEW.number IS NOT NULL
                       AND (NEW.id, NEW.pool_id, NEW.kind, NEW.data) = (OLD.id, OLD.pool_id, OLD.kind, OLD.data) THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'event % of pool % stays as it was told', OLD.number, OLD.pool_id
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'pool_event_kept';
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.number} of pool {self.pool_id}"


class PoolEventCount(models.Model):
    """How many events of a pool were numbered so far; it stays when the events are forgotten."""

    pool = models.OneToOneField(Pool, on_delete=models.PROTECT, primary_key=True, related_name="+")
    last = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.last} events of pool {self.pool_id}"
