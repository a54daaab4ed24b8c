"""The pool's switches as a versioned row that is written once and quoted on every grade.

One column per switch of the rule book, so that settlement can read them in SQL. Which combinations contradict is told
by `pools.services.rules`.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from config.audit import feeds, immutable
from config.clock import ClockTimestamp
from config.pages.changes import tells_pages
from config.triggers import Guard
from pools.models.pool import Pool


class LockPolicy(models.TextChoices):
    ROUND = "round"
    GAME = "game"


class TieRule(models.TextChoices):
    LOSS = "loss"
    WIN = "win"
    VOID = "void"


class MissedPick(models.TextChoices):
    ELIMINATE = "eliminate"
    STRIKE = "strike"
    FAVOURITE = "favourite"
    FALLBACK = "fallback"


class MissedPickThen(models.TextChoices):
    ELIMINATE = "eliminate"
    STRIKE = "strike"
    FAVOURITE = "favourite"


class CancelledGame(models.TextChoices):
    LOSS = "loss"
    WIN = "win"
    VOID = "void"
    REPICK = "repick"


class AllOut(models.TextChoices):
    SPLIT = "split"
    REVIVE = "revive"
    TIEBREAK = "tiebreak"


class LastRound(models.TextChoices):
    SPLIT = "split"
    TIEBREAK = "tiebreak"


class Payout(models.TextChoices):
    EQUAL = "equal"
    TABLE = "table"


class Rules(models.Model):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="rules_versions")
    version = models.PositiveSmallIntegerField(default=1)
    effective_round_number = models.PositiveSmallIntegerField(help_text="First round that this version governs.")

    lock = models.CharField(max_length=10, choices=LockPolicy, default=LockPolicy.ROUND)
    strikes = models.PositiveSmallIntegerField(default=0)
    tie = models.CharField(max_length=10, choices=TieRule, default=TieRule.LOSS)
    missed_pick = models.CharField(max_length=10, choices=MissedPick, default=MissedPick.ELIMINATE)
    missed_pick_then = models.CharField(max_length=10, choices=MissedPickThen, default=MissedPickThen.ELIMINATE)
    cancelled_game = models.CharField(max_length=10, choices=CancelledGame, default=CancelledGame.LOSS)
    picks_per_round = models.PositiveSmallIntegerField(default=1)
    two_pick_rounds = ArrayField(models.PositiveSmallIntegerField(), default=list, blank=True)
    reuse_limit = models.PositiveSmallIntegerField(default=1)
    reuse_reset_round = models.PositiveSmallIntegerField(null=True, blank=True)
    all_out = models.CharField(max_length=10, choices=AllOut, default=AllOut.SPLIT)
    last_round = models.CharField(max_length=10, choices=LastRound, default=LastRound.SPLIT)
    late_entry_until = models.PositiveSmallIntegerField(null=True, blank=True)
    late_entry_strikes = models.BooleanField(default=False)
    buy_back_until = models.PositiveSmallIntegerField(null=True, blank=True)
    buy_back_limit = models.PositiveSmallIntegerField(default=0)
    buy_back_fee_cents = models.PositiveIntegerField(default=0)
    payout = models.CharField(max_length=10, choices=Payout, default=Payout.EQUAL)
    payout_table = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    house_fee_bp = models.PositiveIntegerField(default=0)

    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    confirmed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        help_text="The second name, which every version but a draft's own needs.",
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    KEYS: ClassVar = (
        "lock", "strikes", "tie", "missed_pick", "missed_pick_then", "cancelled_game", "picks_per_round",
        "two_pick_rounds", "reuse_limit", "reuse_reset_round", "all_out", "last_round", "late_entry_until",
        "late_entry_strikes", "buy_back_until", "buy_back_limit", "buy_back_fee_cents", "payout", "payout_table",
        "house_fee_bp",
    )  # fmt: skip

    class Meta:
        verbose_name_plural = "rules"
        ordering: ClassVar = ["pool", "version"]
        constraints = [
            models.UniqueConstraint(fields=["pool", "version"], name="rules_version_unique"),
            models.CheckConstraint(condition=Q(lock__in=LockPolicy.values), name="rules_lock_known"),
            models.CheckConstraint(condition=Q(tie__in=TieRule.values), name="rules_tie_known"),
            models.CheckConstraint(condition=Q(missed_pick__in=MissedPick.values), name="rules_missed_pick_known"),
            models.CheckConstraint(
                condition=Q(missed_pick_then__in=MissedPickThen.values), name="rules_missed_pick_then_known"
            ),
            models.CheckConstraint(condition=Q(cancelled_game__in=CancelledGame.values), name="rules_cancelled_known"),
            models.CheckConstraint(condition=Q(all_out__in=AllOut.values), name="rules_all_out_known"),
            models.CheckConstraint(condition=Q(last_round__in=LastRound.values), name="rules_last_round_known"),
            models.CheckConstraint(condition=Q(payout__in=Payout.values), name="rules_payout_known"),
            models.CheckConstraint(condition=Q(picks_per_round__range=(1, 2)), name="rules_picks_per_round_range"),
            models.CheckConstraint(condition=Q(reuse_limit__gte=1), name="rules_reuse_limit_positive"),
            models.CheckConstraint(condition=Q(house_fee_bp__lte=10_000), name="rules_house_fee_range"),
        ]
        triggers = [
            *immutable(),
            *tells_pages("'pool:' || n.pool_id", update=False),
            feeds(
                "rules",
                verb="'written'",
                subject="n.pool_id",
                actor="n.created_by_id",
                reason="''",
                data="'version', n.version",
            ),
            Guard(
                name="rules_follow",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                # Taken before the look at the lock: two versions at once come one after the other.
                func="""
                    PERFORM 1 FROM pools_pool WHERE id = NEW.pool_id FOR NO KEY UPDATE;
                    IF NEW.version <> 1 + coalesce(
                            (SELECT max(version) FROM pools_rules WHERE pool_id = NEW.pool_id), 0)
                       OR NEW.effective_round_number < coalesce(
                            (SELECT max(effective_round_number) FROM pools_rules WHERE pool_id = NEW.pool_id), 1) THEN
                        RAISE EXCEPTION 'version % does not follow the rules of pool %', NEW.version, NEW.pool_id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'rules_version_follows';
                    END IF;
                    IF NEW.version = 1 OR (SELECT status FROM pools_pool WHERE id = NEW.pool_id) = 'draft' THEN
                        RETURN NEW;
                    END IF;
                    IF NEW.created_by_id IS NULL OR NEW.confirmed_by_id IS NULL
                       OR NEW.created_by_id = NEW.confirmed_by_id
                       OR (SELECT status FROM pools_pool WHERE id = NEW.pool_id) NOT IN ('open', 'running') THEN
                        RAISE EXCEPTION 'an amendment of a pool in play needs two different names'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'rules_two_names';
                    END IF;
                    IF EXISTS (SELECT 1 FROM pools_round r JOIN pools_pool p ON p.competition_id = r.competition_id
                               WHERE p.id = NEW.pool_id AND r.number >= NEW.effective_round_number
                                 AND r.locks_at <= clock_timestamp()) THEN
                        RAISE EXCEPTION 'an amendment governs only rounds that have not locked'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'rules_forward_only';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"Rules {self.version} of {self.pool_id}"
