"""The team an entry chose for a round. What is decided after the lock, or uses a team too often, the database refuses.

How it does so stands in `entries.models.pick_guards`.
"""

from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.audit import ACTOR_SQL, REASON_SQL, Change, append_only, feeds, never_deleted
from config.audit.secrecy import hides
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard
from entries.models.entry import Entry
from entries.models.pick_guards import LATE_SETTING, RULING_SETTING, VOID_SQL, pick_guards, tells_late_picks
from entries.models.tallies import pick_tallies
from pools.models import Game, Round, Team
from pools.models.competition import REVEAL_LOCK

__all__ = [
    "LATE_SETTING",
    "REVEAL_LOCK",
    "RULING_SETTING",
    "VOID_SQL",
    "Fallback",
    "FallbackChange",
    "Pick",
    "PickChange",
    "PickSource",
]


class PickSource(models.TextChoices):
    PLAYER = "player"
    FALLBACK = "fallback"
    FAVOURITE = "favourite"
    STAFF = "staff"
    IMPORT = "import"


class Pick(models.Model):
    # Looked up by the constraints below, whose indexes begin with them; one more each would only cost every save.
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="picks", db_index=False)
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="+", db_index=False)
    slot = models.PositiveSmallIntegerField(default=1)
    # Nobody asks for a team's picks of all rounds.
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+", db_index=False)
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
            models.UniqueConstraint(fields=["entry", "team", "round"], name="pick_team_once_a_round"),
            models.CheckConstraint(condition=Q(slot__in=(1, 2)), name="pick_slot_range"),
            models.CheckConstraint(condition=Q(source__in=PickSource.values), name="pick_source_known"),
        ]
        indexes = [models.Index(fields=["round", "team"], name="pick_round_team")]
        triggers = [*pick_guards(), *pick_tallies(), tells_late_picks()]

    def __str__(self) -> str:
        # Neither the team nor the game: this text reaches logs and lists before the lock.
        return f"Pick of entry {self.entry_id} for round {self.round_id}"


# Staff see of a pick that there is one; neither when it was changed nor how often before its round is revealed, and of
# a list for missed rounds not before its pool is over.
hides(
    "pick",
    "SELECT r.revealed_at IS NOT NULL FROM pools_round r"
    " WHERE r.id = coalesce({entry}.data ->> 'round', {entry}.data ->> 'round_id')::bigint",
)
hides(
    "fallback",
    "SELECT p.status IN ('finished', 'cancelled') FROM entries_entry f JOIN pools_pool p ON p.id = f.pool_id"
    " WHERE f.id::text = {entry}.subject_id",
)


class PickChange(Change):
    """One change of a pick. Secret until the lock, like the pick itself."""

    entry_id = models.BigIntegerField()
    round_id = models.BigIntegerField()
    slot = models.PositiveSmallIntegerField()
    from_team_id = models.BigIntegerField(null=True)
    to_team_id = models.BigIntegerField(null=True)
    source = models.CharField(max_length=10, choices=PickSource)
    ruling_id = models.BigIntegerField(null=True, help_text="The ruling that made the change; empty for all others.")

    class Meta:
        ordering: ClassVar = ["id"]
        indexes = [models.Index(fields=["entry_id", "round_id", "id"], name="pickchange_entry_round")]
        triggers = [
            *append_only(),
            # That somebody picked, never what: the audit is read by staff, before the lock as well.
            feeds(
                "pick",
                verb="CASE WHEN n.to_team_id IS NULL THEN 'removed' ELSE 'saved' END",
                subject="n.entry_id",
                person="(SELECT e.user_id FROM entries_entry e WHERE e.id = n.entry_id)",
                data="'round', n.round_id, 'slot', n.slot, 'source', n.source",
                alike="n.round_id, n.source",
                reason="''",
            ),
            Guard(
                name="by_a_confirmed_ruling",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                timing=pgtrigger.Deferred,
                condition=pgtrigger.Condition("NEW.ruling_id IS NOT NULL"),
                func="""
                    IF NOT EXISTS (SELECT 1 FROM entries_ruling WHERE id = NEW.ruling_id AND status = 'confirmed') THEN
                        RAISE EXCEPTION 'a pick after the lock needs a ruling of two names'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'pick_needs_ruling';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of a pick of entry {self.entry_id}"


class Fallback(models.Model):
    """An entry's own ordered list of teams for rounds that it misses. As secret as the picks it may become."""

    entry = models.OneToOneField(Entry, on_delete=models.PROTECT, related_name="fallback", primary_key=True)
    team_ids = ArrayField(models.BigIntegerField(), default=list, blank=True)
    saved_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        triggers = [
            *[
                Guard(
                    name=f"record_{verb}",
                    when=pgtrigger.After,
                    operation=operation,
                    func=f"""
                        INSERT INTO entries_fallbackchange (entry_id, team_ids, at, actor_id, reason)
                        VALUES (NEW.entry_id, NEW.team_ids, clock_timestamp(), {ACTOR_SQL}, {REASON_SQL});
                        RETURN NULL;
                    """,
                )
                for verb, operation in (("insert", pgtrigger.Insert), ("update", pgtrigger.Update))
            ],
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Fallback list of entry {self.entry_id}"


class FallbackChange(Change):
    """One saved state of a fallback list."""

    entry_id = models.BigIntegerField(db_index=True)
    team_ids = ArrayField(models.BigIntegerField())

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds(
                "fallback",
                verb="'saved'",
                subject="n.entry_id",
                person="(SELECT e.user_id FROM entries_entry e WHERE e.id = n.entry_id)",
                reason="''",
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of the fallback list of entry {self.entry_id}"
