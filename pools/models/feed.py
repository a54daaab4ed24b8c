"""Where results come from by themselves, what each pull of a source brought, and what staff let stand against them."""

from datetime import datetime
from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import ACTOR_SQL, REASON_SQL, Change, append_only, feeds, never_deleted
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.triggers import Guard
from pools.models.competition import Competition, Game

# Failures in a row after which a source is left alone for a while.
BREAKS_AFTER = 5
# Of what a server marks its bodies with.
LONGEST_ETAG, LONGEST_DATE = 500, 100
SHORTEST_INTERVAL, LONGEST_INTERVAL = 15, 24 * 60 * 60
# What a person sets; a change of any of it is recorded.
CHOSEN = ("competition_id", "kind", "url", "season", "game_types", "every_seconds", "is_enabled")


class FeedKind(models.TextChoices):
    NFLVERSE = "nflverse"
    SCOREBOARD = "scoreboard"


class FeedSource(models.Model):
    """An address that is pulled now and then, with what is remembered from one pull to the next.

    `failures` in a row and `broken_at` are its circuit breaker: closed while `broken_at` is empty, open until
    `next_pull_at`, then one pull may try. `claims` counts the pulls begun: one that lost its claim cannot write.
    """

    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="feed_sources")
    kind = models.CharField(max_length=12, choices=FeedKind)
    url = models.CharField(max_length=500, help_text="An http or https address; no name or password in it.")
    season = models.CharField(max_length=10, help_text="As the source calls it, such as 2026.")
    game_types = models.CharField(
        max_length=40, default="REG", db_default="REG", help_text="Of nflverse, such as REG,WC,DIV,CON,SB."
    )
    is_enabled = models.BooleanField(default=True, db_default=True)
    every_seconds = models.PositiveIntegerField(default=60, help_text="Between two pulls that worked.")
    etag = models.CharField(max_length=LONGEST_ETAG, blank=True, default="", db_default="", editable=False)
    last_modified = models.CharField(max_length=LONGEST_DATE, blank=True, default="", db_default="", editable=False)
    digest = models.CharField(
        max_length=64, blank=True, default="", db_default="", editable=False,
        help_text="SHA-256 of the last body that was taken whole.",
    )  # fmt: skip
    said = models.JSONField(
        default=dict, editable=False, help_text="The scores that it has called final, by the id of the game."
    )
    next_pull_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    claimed_until = models.DateTimeField(null=True, blank=True, editable=False)
    claims = models.PositiveBigIntegerField(default=0, db_default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, db_default=0, editable=False)
    broken_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_error = models.TextField(blank=True, default="", db_default="", editable=False)
    last_pulled_at = models.DateTimeField(null=True, blank=True, editable=False)
    last_read_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a body was last read whole."
    )
    last_changed_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="When a pull last changed a game."
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["competition", "kind", "url"],
                name="feed_source_once",
                violation_error_message="The competition has this source already.",
            ),
            models.CheckConstraint(condition=Q(kind__in=FeedKind.values), name="feed_source_kind_known"),
            models.CheckConstraint(
                condition=Q(every_seconds__range=(SHORTEST_INTERVAL, LONGEST_INTERVAL)),
                name="feed_source_interval",
                violation_error_message=f"Must be from {SHORTEST_INTERVAL} to {LONGEST_INTERVAL} seconds.",
            ),
            models.CheckConstraint(
                condition=Q(broken_at__isnull=True) | Q(failures__gte=BREAKS_AFTER),
                name="feed_source_broken_by_failures",
            ),
        ]
        indexes = [
            models.Index(fields=["next_pull_at", "id"], condition=Q(is_enabled=True), name="feed_source_due"),
        ]
        triggers = [
            *never_deleted(),
            Guard(
                name="claims_grow",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("claims"),
                func="""
                    IF NEW.claims < OLD.claims THEN
                        RAISE EXCEPTION 'the claims of feed source % only grow', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'feed_source_claims_grow';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="record_choice",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf(*CHOSEN),
                # The query of an address may hold a key: that it changed is told, what it says is not.
                func=f"""
                    IF TG_OP = 'INSERT' OR ({", ".join(f"OLD.{name}" for name in CHOSEN)})
                        IS DISTINCT FROM ({", ".join(f"NEW.{name}" for name in CHOSEN)}) THEN
                        INSERT INTO pools_feedsourcechange (source_id, details, at, actor_id, reason)
                        VALUES (NEW.id, jsonb_build_object(
                            'kind', NEW.kind, 'url', split_part(NEW.url, '?', 1), 'season', NEW.season,
                            'game_types', NEW.game_types, 'every_seconds', NEW.every_seconds,
                            'is_enabled', NEW.is_enabled),
                            clock_timestamp(), {ACTOR_SQL}, {REASON_SQL});
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"feed {self.pk}"

    @property
    def is_broken(self) -> bool:
        """Whether the breaker is open or half-open."""
        return self.broken_at is not None

    def breaker(self, now: datetime) -> str:
        """`closed`, `open`, or `half-open` when one pull may try again."""
        if not self.is_broken:
            return "closed"
        return "open" if self.next_pull_at > now else "half-open"


class FeedSourceChange(Change):
    """What a person set about a source, each time somebody did."""

    source_id = models.BigIntegerField(db_index=True)
    details = models.JSONField()

    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds("feed", verb="'changed'", subject="n.source_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of feed {self.source_id}"


class PullOutcome(models.TextChoices):
    APPLIED = "applied"
    REFUSED = "refused"
    FAILED = "failed"


class FeedPull(models.Model):
    """A pull that brought something new, or failed to. Pulls that found everything as it was leave no row."""

    source = models.ForeignKey(FeedSource, on_delete=models.PROTECT, related_name="pulls")
    at = models.DateTimeField(db_default=ClockTimestamp())
    outcome = models.CharField(max_length=8, choices=PullOutcome)
    refusal = models.TextField(blank=True, default="", db_default="", help_text="Why nothing was taken.")
    digest = models.CharField(max_length=64, blank=True, default="", db_default="")
    size = models.PositiveIntegerField(default=0, db_default=0, help_text="Bytes of the body, unpacked.")
    games = models.PositiveIntegerField(default=0, db_default=0, help_text="Games of ours that the body was about.")
    changed = models.PositiveIntegerField(default=0, db_default=0)
    results = models.PositiveIntegerField(default=0, db_default=0)
    raised = models.PositiveIntegerField(default=0, db_default=0, help_text="Games raised for a ruling.")
    warnings = models.JSONField(default=list)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=PullOutcome.values), name="feed_pull_outcome_known"),
            models.CheckConstraint(
                condition=Q(outcome=PullOutcome.APPLIED) | Q(changed=0, results=0, raised=0),
                name="feed_pull_refused_whole",
            ),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"pull {self.pk}"


class LetStand(models.Model):
    """A difference between a game and a schedule or feed that a person let stand: nothing raises it again."""

    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="let_stand")
    difference = models.CharField(max_length=120)
    at = models.DateTimeField(db_default=ClockTimestamp())
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    reason = models.TextField(blank=True, default="", db_default="")

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [models.UniqueConstraint(fields=["game", "difference"], name="let_stand_once")]
        triggers = [
            *append_only(),
            feeds("game", verb="'let_stand'", subject="n.game_id", actor="n.by_id"),
        ]

    def __str__(self) -> str:
        return f"{self.difference} let stand"
