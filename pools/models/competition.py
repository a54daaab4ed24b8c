"""A league in a season: teams, rounds in play order, games with kickoff, status and score.

A round is not the league's week: the largest real contest plays 20 rounds in an 18-week season. Its lock is a fact
the database keeps, not something code remembers to recompute.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Least

from config.audit import ACTOR_SQL, REASON_SQL, Change, append_only, feeds, never_deleted
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.pages.changes import tells_pages
from config.triggers import Guard, planned_anew
from pools.models.telling import tells_game_lock, tells_result, tells_reveal

# First half of a two-part advisory key; the second is a round's id. Whatever is decided about a round before its lock
# shares it: its picks, and the rules that govern it. Revealing takes it alone, and so waits for them.
REVEAL_LOCK = 7717


class Competition(models.Model):
    """One league in one season, such as `nfl-2025`."""

    code = models.SlugField(max_length=40, unique=True)
    name = models.CharField(max_length=100)
    season = models.CharField(max_length=10)
    time_zone = models.CharField(max_length=40, default="UTC", help_text="IANA name; the zone players think in.")
    rounds_are_drawn = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="The rounds came from a rounds file: an import without one leaves every game in its round.",
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    class Meta:
        ordering: ClassVar = ["code"]
        triggers = tells_pages("'competition:' || n.id", insert=False)

    def __str__(self) -> str:
        return self.name


class Team(models.Model):
    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="teams")
    code = models.CharField(max_length=20)
    name = models.CharField(max_length=60)

    class Meta:
        ordering: ClassVar = ["code"]
        constraints = [models.UniqueConstraint(fields=["competition", "code"], name="team_code_unique")]
        triggers = tells_pages("'competition:' || n.competition_id", insert=False)

    def __str__(self) -> str:
        return self.name


class Round(models.Model):
    """What one pick is for, in play order. Owns games and one lock."""

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="rounds")
    number = models.PositiveSmallIntegerField()
    name = models.CharField(max_length=40)
    opens_at = models.DateTimeField(null=True, blank=True)
    fixed_locks_at = models.DateTimeField(
        null=True, blank=True, help_text="Locks the round earlier than its first kickoff; never later."
    )
    first_kickoff_at = models.DateTimeField(null=True, blank=True, editable=False)
    locks_at = models.GeneratedField(
        expression=Least("fixed_locks_at", "first_kickoff_at"),  # PostgreSQL's LEAST passes over NULL
        output_field=models.DateTimeField(null=True),
        db_persist=True,
    )
    revealed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set once no pick decided before the lock can still arrive."
    )

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["competition", "number"]
        constraints = [
            models.UniqueConstraint(fields=["competition", "number"], name="round_number_unique"),
            models.CheckConstraint(condition=Q(number__gte=1), name="round_number_positive"),
        ]
        indexes = [models.Index(fields=["locks_at"], name="round_locks_at")]
        triggers = [
            Guard(
                name="lock_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                # Compared by its parts: a generated column is not computed yet in a BEFORE trigger.
                func="""
                    IF least(OLD.fixed_locks_at, OLD.first_kickoff_at) <= clock_timestamp()
                        AND (least(NEW.fixed_locks_at, NEW.first_kickoff_at) IS NULL
                             OR least(NEW.fixed_locks_at, NEW.first_kickoff_at)
                                > least(OLD.fixed_locks_at, OLD.first_kickoff_at)) THEN
                        RAISE EXCEPTION 'round % has locked; its lock cannot move later', OLD.number
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'round_lock_stays';
                    END IF;
                    IF OLD.revealed_at IS NOT NULL AND NEW.revealed_at IS DISTINCT FROM OLD.revealed_at THEN
                        RAISE EXCEPTION 'round % has been revealed; that cannot be undone', OLD.number
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'round_reveal_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="record_fixed_lock",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("fixed_locks_at"),
                condition=pgtrigger.Condition("OLD.fixed_locks_at IS DISTINCT FROM NEW.fixed_locks_at"),
                func=f"""
                    INSERT INTO pools_roundchange (round_id, before, after, at, actor_id, reason)
                    VALUES (NEW.id, OLD.fixed_locks_at, NEW.fixed_locks_at, clock_timestamp(), {ACTOR_SQL},
                            {REASON_SQL});
                    RETURN NULL;
                """,
            ),
            tells_reveal(),
            *tells_pages("'competition:' || n.competition_id", delete=True),
        ]

    def __str__(self) -> str:
        return self.name


class RoundChange(Change):
    """One change of a round's fixed lock; empty where it has or had none."""

    round_id = models.BigIntegerField(db_index=True)
    before = models.DateTimeField(null=True)
    after = models.DateTimeField(null=True)

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds("round", verb="'lock_fixed'", subject="n.round_id", data="'before', n.before, 'after', n.after"),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of round {self.round_id}"


class GameStatus(models.TextChoices):
    SCHEDULED = "scheduled"
    IN_PROGRESS = "in_progress"
    FINAL = "final"
    POSTPONED = "postponed"
    CANCELLED = "cancelled"


class Game(models.Model):
    """A fixture. Final means final with both scores; anything else has no result."""

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="games")
    round = models.ForeignKey(Round, on_delete=models.PROTECT, related_name="games")
    external_id = models.CharField(max_length=60, help_text="The schedule's own name for the game.")
    home = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    away = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="+")
    kickoff_at = models.DateTimeField()
    status = models.CharField(max_length=12, choices=GameStatus, default=GameStatus.SCHEDULED)
    home_score = models.PositiveSmallIntegerField(null=True, blank=True)
    away_score = models.PositiveSmallIntegerField(null=True, blank=True)
    home_spread = models.DecimalField(
        max_digits=4,
        decimal_places=1,
        null=True,
        blank=True,
        help_text="Points; positive when the home side is favoured.",
    )
    locks_at = models.DateTimeField(
        null=True,
        editable=False,
        help_text="The kickoff; once that has passed, it never becomes later. Kept by the database.",
    )
    revealed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="Set once no pick of this game can arrive any more."
    )
    is_ruled = models.BooleanField(
        default=False,
        db_default=False,
        editable=False,
        help_text="A ruling decided about it: no feed changes its status, score or round.",
    )
    review = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Why staff must rule on this game before an import may touch it; empty when nothing is open.",
    )
    review_origin = models.CharField(
        max_length=40, blank=True, default="", db_default="", editable=False, help_text="Who raised it."
    )
    review_difference = models.CharField(
        max_length=120, blank=True, default="", db_default="", editable=False,
        help_text="What the review is about, in a form that is remembered when it is let stand.",
    )  # fmt: skip

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["kickoff_at", "id"]
        constraints = [
            models.UniqueConstraint(fields=["competition", "external_id"], name="game_external_id_unique"),
            models.CheckConstraint(condition=~Q(home=F("away")), name="game_two_sides"),
            models.CheckConstraint(condition=Q(status__in=GameStatus.values), name="game_status_known"),
            models.CheckConstraint(
                condition=~Q(status=GameStatus.FINAL) | Q(home_score__isnull=False, away_score__isnull=False),
                name="game_final_has_scores",
            ),
        ]
        indexes = [
            models.Index(fields=["round", "kickoff_at"], name="game_round_kickoff"),
            models.Index(fields=["locks_at"], condition=Q(revealed_at__isnull=True), name="game_to_reveal"),
        ]
        triggers = [
            *tells_pages("'competition:' || n.competition_id", delete=True),
            Guard(
                name="belongs_together",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("competition_id", "round_id", "home_id", "away_id"),
                func="""
                    IF (SELECT competition_id FROM pools_round WHERE id = NEW.round_id) <> NEW.competition_id
                       OR (SELECT count(*) FROM pools_team WHERE id IN (NEW.home_id, NEW.away_id)
                           AND competition_id = NEW.competition_id) <> 2 THEN
                        RAISE EXCEPTION 'round and teams of a game belong to its competition'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'game_one_competition';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="keep_lock",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                # A game that has started does not open again because its kickoff is written down as later.
                func="""
                    NEW.locks_at := NEW.kickoff_at;
                    IF TG_OP = 'UPDATE' AND OLD.locks_at <= clock_timestamp() THEN
                        NEW.locks_at := least(OLD.locks_at, NEW.kickoff_at);
                    END IF;
                    IF TG_OP = 'UPDATE' AND OLD.revealed_at IS NOT NULL
                       AND NEW.revealed_at IS DISTINCT FROM OLD.revealed_at THEN
                        RAISE EXCEPTION 'game % has been revealed; that cannot be undone', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'game_reveal_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="keep_first_kickoff",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("kickoff_at", "round_id"),
                # Once the lock has passed, a first game that moves away must not reopen picks everybody has seen.
                func="""
                    UPDATE pools_round r SET first_kickoff_at = fresh.kickoff
                    FROM (SELECT t.id, CASE WHEN t.locks_at <= clock_timestamp() THEN least(t.first_kickoff_at, g.kickoff)
                                            ELSE g.kickoff END AS kickoff
                          FROM pools_round t
                          CROSS JOIN LATERAL (SELECT min(kickoff_at) AS kickoff FROM pools_game WHERE round_id = t.id) g
                          WHERE t.id IN (OLD.round_id, NEW.round_id)) fresh
                    WHERE r.id = fresh.id AND r.first_kickoff_at IS DISTINCT FROM fresh.kickoff;
                    RETURN NULL;
                """,  # noqa: E501  # the text is part of the migration
            ),
            Guard(
                name="record_insert",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                referencing=pgtrigger.Referencing(new="new_rows"),
                func=f"""
                    INSERT INTO pools_gamechange (game_id, before, after, at, actor_id, reason)
                    SELECT n.id, NULL, to_jsonb(n) - 'id', clock_timestamp(), {ACTOR_SQL}, {REASON_SQL} FROM new_rows n;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="record_update",
                level=pgtrigger.Statement,
                when=pgtrigger.After,
                operation=pgtrigger.Update,
                referencing=pgtrigger.Referencing(old="old_rows", new="new_rows"),
                func=planned_anew(f"""
                    INSERT INTO pools_gamechange (game_id, before, after, at, actor_id, reason)
                    SELECT n.id, to_jsonb(o) - 'id', to_jsonb(n) - 'id', clock_timestamp(), {ACTOR_SQL}, {REASON_SQL}
                    FROM new_rows n JOIN old_rows o USING (id)
                    WHERE to_jsonb(o) - 'revealed_at' IS DISTINCT FROM to_jsonb(n) - 'revealed_at'
                """)
                + " RETURN NULL;",
            ),
            tells_result(),
            tells_game_lock(),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return self.external_id


class GameChange(Change):
    """One change of a game: kickoff, round, status, score. `before` is empty for its first appearance."""

    game_id = models.BigIntegerField(db_index=True)
    before = models.JSONField(null=True)
    after = models.JSONField()

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds(
                "game",
                verb="coalesce(nullif(n.after ->> 'status', n.before ->> 'status'), 'changed')",
                subject="n.game_id",
                data="'from', n.before ->> 'status', 'to', n.after ->> 'status'",
            ),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of game {self.game_id}"
