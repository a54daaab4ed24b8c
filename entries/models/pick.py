"""The team an entry chose for a round. What is decided after the lock, or twice with one team, the database refuses.

Three guards work together around the deadline:

* before the row is written, the transaction joins the round's shared advisory lock;
* after the row is written, and so after every row lock was waited for, `clock_timestamp()` is compared with the lock
  (an earlier look, `now()` or the application's clock let late picks through when a lock was held across the deadline);
* revealing takes the same advisory lock exclusively after the deadline, so it waits for whoever was in time.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from config.audit import ACTOR_SQL, REASON_SQL, Change, append_only
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard
from entries.models.entry import Entry
from pools.models import Game, Round, Team

# First half of the two-part advisory key; the second is the round's id.
REVEAL_LOCK = 7717

# Names the source that may write after the lock in this transaction; players never may.
LATE_SETTING = "outlast.late_picks"


class PickSource(models.TextChoices):
    PLAYER = "player"
    FALLBACK = "fallback"
    FAVOURITE = "favourite"
    STAFF = "staff"
    IMPORT = "import"


class Pick(models.Model):
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="picks")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+")
    slot = models.PositiveSmallIntegerField(default=1)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    game = models.ForeignKey(
        Game, on_delete=models.PROTECT, related_name="+", help_text="The team's first game of the round."
    )
    source = models.CharField(max_length=10, choices=PickSource, default=PickSource.PLAYER)
    rules_version = models.PositiveSmallIntegerField(default=1)
    nonce = models.CharField(max_length=32)
    picked_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["entry", "round", "slot"]
        constraints = [
            models.UniqueConstraint(fields=["entry", "round", "slot"], name="pick_slot_unique"),
            models.UniqueConstraint(fields=["entry", "team"], name="pick_team_once"),
            models.CheckConstraint(condition=Q(slot__in=(1, 2)), name="pick_slot_range"),
            models.CheckConstraint(condition=Q(source__in=PickSource.values), name="pick_source_known"),
        ]
        indexes = [models.Index(fields=["round", "team"], name="pick_round_team")]
        triggers = [
            Guard(
                name="fits_the_round",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func=f"""
                    IF TG_OP = 'UPDATE' AND (NEW.entry_id, NEW.round_id, NEW.slot)
                                             IS DISTINCT FROM (OLD.entry_id, OLD.round_id, OLD.slot) THEN
                        RAISE EXCEPTION 'a pick stays with its entry, round and slot'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_identity';
                    END IF;
                    PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, NEW.round_id::int);
                    PERFORM 1 FROM entries_entry e
                        JOIN pools_pool p ON p.id = e.pool_id
                        JOIN pools_round r ON r.id = NEW.round_id AND r.competition_id = p.competition_id
                            AND r.number BETWEEN p.first_round_number AND p.last_round_number
                        JOIN pools_game g ON g.id = NEW.game_id AND g.round_id = r.id
                            AND NEW.team_id IN (g.home_id, g.away_id)
                        WHERE e.id = NEW.entry_id;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'team % has no such game in round % of the pool', NEW.team_id, NEW.round_id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_team_plays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="before_the_lock",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update | pgtrigger.Delete,
                func=f"""
                    IF TG_OP <> 'DELETE' AND NEW.source <> 'player'
                       AND current_setting('{LATE_SETTING}', true) = NEW.source THEN
                        RETURN NULL;
                    END IF;
                    PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, coalesce(NEW.round_id, OLD.round_id)::int);
                    IF coalesce((SELECT locks_at FROM pools_round WHERE id = coalesce(NEW.round_id, OLD.round_id))
                                <= clock_timestamp(), true) THEN
                        RAISE EXCEPTION 'the round has locked'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_before_lock';
                    END IF;
                    RETURN NULL;
                """,
            ),
            *[
                Guard(
                    name=f"record_{verb}",
                    level=pgtrigger.Statement,
                    when=pgtrigger.After,
                    operation=operation,
                    referencing=referencing,
                    func=f"""
                        INSERT INTO entries_pickchange
                            (entry_id, round_id, slot, from_team_id, to_team_id, source, at, actor_id, reason)
                        SELECT {row}.entry_id, {row}.round_id, {row}.slot, {before}, {after}, {row}.source,
                               clock_timestamp(), {ACTOR_SQL}, {REASON_SQL} FROM {rows};
                        RETURN NULL;
                    """,
                )
                for verb, operation, referencing, row, before, after, rows in (
                    (
                        "insert", pgtrigger.Insert, pgtrigger.Referencing(new="new_rows"),
                        "n", "NULL::bigint", "n.team_id", "new_rows n",
                    ),
                    (
                        "update", pgtrigger.Update, pgtrigger.Referencing(old="old_rows", new="new_rows"),
                        "n", "o.team_id", "n.team_id",
                        (
                            "new_rows n JOIN old_rows o USING (id)"
                            " WHERE (o.team_id, o.game_id, o.source) IS DISTINCT FROM (n.team_id, n.game_id, n.source)"
                        ),
                    ),
                    (
                        "delete", pgtrigger.Delete, pgtrigger.Referencing(old="old_rows"),
                        "o", "o.team_id", "NULL::bigint", "old_rows o",
                    ),
                )
            ],
            Guard(
                name="never_truncated",
                level=pgtrigger.Statement,
                when=pgtrigger.Before,
                operation=pgtrigger.Truncate,
                func="""
                    RAISE EXCEPTION 'picks are never truncated'
                        USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = 'never_truncated';
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        # Neither the team nor the game: this text reaches logs and lists before the lock.
        return f"Pick of entry {self.entry_id} for round {self.round_id}"


class PickChange(Change):
    """One change of a pick. Secret until the lock, like the pick itself."""

    entry_id = models.BigIntegerField()
    round_id = models.BigIntegerField()
    slot = models.PositiveSmallIntegerField()
    from_team_id = models.BigIntegerField(null=True)
    to_team_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=10)

    class Meta:
        ordering: ClassVar = ["id"]
        indexes = [models.Index(fields=["entry_id", "round_id", "id"], name="pickchange_entry_round")]
        triggers = append_only()

    def __str__(self) -> str:
        return f"Change {self.pk} of a pick of entry {self.entry_id}"
