"""A final score that people type by hand: once, and once more without seeing the first.

once       typed by one person; nobody is shown what
taken      typed again alike, and the game has it
differs    typed again otherwise: nothing was written to the game, and it is typed anew
held       typed again alike, but the game could not take it any more (`note` says why): that is for a ruling
withdrawn  taken back before it was typed again
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import feeds_each, never_deleted
from config.clock import ClockTimestamp
from config.errors import Code
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from pools.models.competition import Game

HIGHEST_SCORE = 999
LONGEST_NOTE = 300


class TypedState(models.TextChoices):
    ONCE = "once"
    TAKEN = "taken"
    DIFFERS = "differs"
    HELD = "held"
    WITHDRAWN = "withdrawn"


TYPED_TRANSITIONS = {
    TypedState.ONCE: (TypedState.TAKEN, TypedState.DIFFERS, TypedState.HELD, TypedState.WITHDRAWN),
}
_EQUAL = Q(again_home_score=F("home_score"), again_away_score=F("away_score"))
_AGAIN = Q(again_home_score__isnull=False, again_away_score__isnull=False)
_NOT_AGAIN = Q(again_home_score__isnull=True, again_away_score__isnull=True)
_DECIDED = Q(decided_by__isnull=False, decided_at__isnull=False)


class TypedResult(HasStatus):
    """One score and, once somebody typed it again, both. Home side first. Kept as it was typed."""

    game = models.ForeignKey(Game, on_delete=models.PROTECT, related_name="typed_results")
    home_score = models.PositiveSmallIntegerField()
    away_score = models.PositiveSmallIntegerField()
    again_home_score = models.PositiveSmallIntegerField(null=True, blank=True)
    again_away_score = models.PositiveSmallIntegerField(null=True, blank=True)
    status = models.CharField(max_length=10, choices=TypedState, default=TypedState.ONCE)
    typed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    typed_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="Who typed it again, or took it back.",
    )  # fmt: skip
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=LONGEST_NOTE, blank=True, default="", db_default="")

    TRANSITIONS: ClassVar = TYPED_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=TypedState.values), name="typed_result_status_known"),
            models.CheckConstraint(
                condition=Q(home_score__lte=HIGHEST_SCORE, away_score__lte=HIGHEST_SCORE)
                & (_NOT_AGAIN | Q(again_home_score__lte=HIGHEST_SCORE, again_away_score__lte=HIGHEST_SCORE)),
                name="typed_result_scores",
            ),
            models.CheckConstraint(
                condition=Q(status=TypedState.ONCE, decided_by__isnull=True, decided_at__isnull=True) & _NOT_AGAIN
                | Q(status=TypedState.WITHDRAWN) & _NOT_AGAIN & _DECIDED
                | Q(status__in=(TypedState.TAKEN, TypedState.HELD)) & _AGAIN & _EQUAL & _DECIDED
                | Q(status=TypedState.DIFFERS) & _AGAIN & ~_EQUAL & _DECIDED,
                name="typed_result_twice",
            ),
            models.UniqueConstraint(
                fields=["game"],
                condition=Q(status=TypedState.ONCE),
                name="typed_result_one_waits",
                violation_error_code=Code.VERSION_CONFLICT,
                violation_error_message="Somebody typed this game at the same moment. Look again.",
            ),
        ]
        triggers = [
            Guard(
                name="begins_once",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF NEW.status <> 'once' THEN
                        RAISE EXCEPTION 'a result is typed once before it is typed again'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'typed_result_begins_once';
                    END IF;
                    RETURN NEW;
                """,
            ),
            status_guard(TYPED_TRANSITIONS),
            Guard(
                name="stays_as_typed",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF OLD.status <> 'once'
                       OR (NEW.id, NEW.game_id, NEW.home_score, NEW.away_score, NEW.typed_by_id, NEW.typed_at)
                           IS DISTINCT FROM
                          (OLD.id, OLD.game_id, OLD.home_score, OLD.away_score, OLD.typed_by_id, OLD.typed_at) THEN
                        RAISE EXCEPTION 'typed result % stays as it was typed', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'typed_result_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            # What was typed first is not told: whoever types it again may read the audit.
            feeds_each(
                "feed_audit_typed",
                noun="typed_result",
                verb="'typed'",
                operation=pgtrigger.Insert,
                actor="NEW.typed_by_id",
                reason="''",
                data="'game', NEW.game_id",
            ),
            feeds_each(
                "feed_audit_decision",
                noun="typed_result",
                verb="NEW.status",
                operation=pgtrigger.UpdateOf("status"),
                condition="OLD.status IS DISTINCT FROM NEW.status",
                actor="NEW.decided_by_id",
                reason="NEW.note",
                data="'game', NEW.game_id",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        # No score: what was typed first is not shown to whoever types it again.
        return f"Typed result {self.pk} of game {self.game_id}"
