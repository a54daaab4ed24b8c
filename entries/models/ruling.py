"""Rulings: decisions of staff about a game, a pick or an entry, with a reason and two names, which another can undo.

And reprieves: spans of rounds whose losses do not count for an entry, because it bought back in or was reinstated.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.db import models
from django.db.models import F, Q

from config.audit import feeds_each, never_deleted
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.pages.changes import tells_pages
from config.states import HasStatus, status_guard
from config.triggers import Guard
from entries.models.entry import Entry
from entries.models.request import Request
from pools.models import Competition, Game, Pool
from pools.models.competition import REVEAL_LOCK


class RulingKind(models.TextChoices):
    GAME = "game"
    PICK = "pick"
    DISQUALIFY = "disqualify"
    REINSTATE = "reinstate"
    REVERSAL = "reversal"


class RulingStatus(models.TextChoices):
    PROPOSED = "proposed"
    CONFIRMED = "confirmed"
    WITHDRAWN = "withdrawn"


RULING_TRANSITIONS = {RulingStatus.PROPOSED: (RulingStatus.CONFIRMED, RulingStatus.WITHDRAWN)}


class Ruling(HasStatus):
    kind = models.CharField(max_length=10, choices=RulingKind)
    competition = models.ForeignKey(Competition, on_delete=models.PROTECT, related_name="rulings")
    pool = models.ForeignKey(
        Pool, on_delete=models.PROTECT, null=True, blank=True, related_name="rulings",
        help_text="Empty where it concerns every pool of the competition.",
    )  # fmt: skip
    game = models.ForeignKey(Game, on_delete=models.PROTECT, null=True, blank=True, related_name="rulings")
    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, null=True, blank=True, related_name="rulings")
    details = models.JSONField(default=dict, help_text="What is decided, by the kind.")
    before = models.JSONField(default=dict, help_text="How things stood when it was carried out, to go back to.")
    reason = models.CharField(max_length=500)
    status = models.CharField(max_length=10, choices=RulingStatus, default=RulingStatus.PROPOSED)
    proposed_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    proposed_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    decided_at = models.DateTimeField(null=True, blank=True)
    has_conflict = models.BooleanField(
        default=False, help_text="One of the two has an entry in a pool that the ruling concerns."
    )
    reverses = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="reversals")
    difference = models.JSONField(default=dict, help_text="What carrying it out changed, in numbers.")

    TRANSITIONS: ClassVar = RULING_TRANSITIONS

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=RulingKind.values), name="ruling_kind_known"),
            models.CheckConstraint(condition=Q(status__in=RulingStatus.values), name="ruling_status_known"),
            models.CheckConstraint(condition=~Q(reason=""), name="ruling_has_reason"),
            models.CheckConstraint(
                condition=~Q(status=RulingStatus.CONFIRMED)
                | Q(decided_by__isnull=False, decided_at__isnull=False) & ~Q(decided_by=F("proposed_by")),
                name="ruling_two_names",
            ),
            models.CheckConstraint(
                condition=Q(kind=RulingKind.GAME, game__isnull=False)
                | Q(kind__in=(RulingKind.PICK, RulingKind.DISQUALIFY, RulingKind.REINSTATE))
                & Q(entry__isnull=False, pool__isnull=False)
                | Q(kind=RulingKind.REVERSAL, reverses__isnull=False),
                name="ruling_names_its_subject",
            ),
            models.UniqueConstraint(
                fields=["reverses"], condition=Q(status=RulingStatus.CONFIRMED), name="ruling_reversed_once"
            ),
        ]
        indexes = [models.Index(fields=["competition", "-id"], name="ruling_competition")]
        triggers = [
            status_guard(RULING_TRANSITIONS),
            Guard(
                name="ruling_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                func="""
                    IF (NEW.kind, NEW.competition_id, NEW.pool_id, NEW.game_id, NEW.entry_id, NEW.details, NEW.reason,
                        NEW.proposed_by_id, NEW.proposed_at, NEW.reverses_id)
                       IS DISTINCT FROM (OLD.kind, OLD.competition_id, OLD.pool_id, OLD.game_id, OLD.entry_id,
                        OLD.details, OLD.reason, OLD.proposed_by_id, OLD.proposed_at, OLD.reverses_id)
                       OR OLD.status <> 'proposed' AND (NEW.decided_by_id, NEW.decided_at, NEW.has_conflict, NEW.before)
                       IS DISTINCT FROM (OLD.decided_by_id, OLD.decided_at, OLD.has_conflict, OLD.before) THEN
                        RAISE EXCEPTION 'ruling % is kept as it was made', OLD.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'ruling_stays';
                    END IF;
                    RETURN NEW;
                """,
            ),
            feeds_each(
                "feed_audit_proposal",
                noun="ruling",
                verb="'proposed'",
                operation=pgtrigger.Insert,
                person="(SELECT e.user_id FROM entries_entry e WHERE e.id = NEW.entry_id)",
                data="'kind', NEW.kind",
                actor="NEW.proposed_by_id",
                reason="''",
            ),
            feeds_each(
                "feed_audit_decision",
                noun="ruling",
                verb="NEW.status",
                operation=pgtrigger.UpdateOf("status"),
                condition="OLD.status IS DISTINCT FROM NEW.status",
                person="(SELECT e.user_id FROM entries_entry e WHERE e.id = NEW.entry_id)",
                data="'kind', NEW.kind",
                actor="NEW.decided_by_id",
                reason="''",
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Ruling {self.pk}"


class Reprieve(models.Model):
    """Losses of rounds from `from_round_number` up to, not including, `before_round_number` do not count."""

    entry = models.ForeignKey(Entry, on_delete=models.PROTECT, related_name="reprieves")
    from_round_number = models.PositiveSmallIntegerField()
    before_round_number = models.PositiveSmallIntegerField(help_text="The round in which it plays again.")
    request = models.OneToOneField(
        Request,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="reprieve",
        help_text="It bought back in.",
    )
    ruling = models.OneToOneField(
        Ruling, on_delete=models.PROTECT, null=True, blank=True, related_name="reprieve", help_text="Staff decided."
    )
    revoked_by = models.ForeignKey(Ruling, on_delete=models.PROTECT, null=True, blank=True, related_name="revoked")
    revoked_at = models.DateTimeField(
        null=True, blank=True, help_text="By a ruling, or because the fee that it was bought with went back."
    )
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    objects = LockedQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(before_round_number__gt=F("from_round_number")), name="reprieve_rounds_order"
            ),
            models.CheckConstraint(
                condition=Q(request__isnull=False, ruling__isnull=True) | Q(request__isnull=True, ruling__isnull=False),
                name="reprieve_has_one_cause",
            ),
            models.CheckConstraint(
                condition=Q(revoked_by__isnull=True) | Q(revoked_at__isnull=False), name="reprieve_revoked_has_time"
            ),
        ]
        triggers = [
            *tells_pages("'pool:' || e.pool_id", joined="JOIN entries_entry e ON e.id = n.entry_id"),
            Guard(
                name="reprieve_guard",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF TG_OP = 'UPDATE' AND ((NEW.entry_id, NEW.from_round_number, NEW.before_round_number,
                            NEW.request_id, NEW.ruling_id)
                        IS DISTINCT FROM (OLD.entry_id, OLD.from_round_number, OLD.before_round_number,
                            OLD.request_id, OLD.ruling_id)
                        OR OLD.revoked_at IS NOT NULL
                            AND (NEW.revoked_at, NEW.revoked_by_id)
                                IS DISTINCT FROM (OLD.revoked_at, OLD.revoked_by_id)) THEN
                        RAISE EXCEPTION 'a reprieve is revoked, never rewritten'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'reprieve_stays';
                    END IF;
                    IF TG_OP = 'INSERT' AND NEW.request_id IS NOT NULL AND NOT EXISTS (
                        SELECT 1 FROM entries_request q WHERE q.id = NEW.request_id AND q.kind = 'buy_back'
                        AND q.bought_entry_id = NEW.entry_id AND q.payment_status = 'completed'
                        AND q.round_number = NEW.from_round_number
                        AND q.resumes_round_number = NEW.before_round_number) THEN
                        RAISE EXCEPTION 'buying back in needs a paid request of the same entry'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'reprieve_needs_payment';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="before_its_round_locks",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.request_id IS NOT NULL"),
                # A pool may end once the next round is revealed, so nobody may come back after that.
                declare=[("this_round", "bigint"), ("locks", "timestamptz")],
                func=f"""
                    SELECT r.id INTO this_round FROM entries_entry e JOIN pools_pool p ON p.id = e.pool_id
                        JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = NEW.before_round_number
                        WHERE e.id = NEW.entry_id;
                    PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, this_round::int);
                    SELECT locks_at INTO locks FROM pools_round WHERE id = this_round;
                    IF coalesce(locks <= clock_timestamp(), true) THEN
                        RAISE EXCEPTION 'round % has locked; nobody buys back into it', NEW.before_round_number
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'reprieve_before_lock';
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="mark_for_settlement",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    INSERT INTO entries_settlementmark (pool_id, from_round_number)
                    SELECT pool_id, NEW.from_round_number FROM entries_entry WHERE id = NEW.entry_id;
                    RETURN NULL;
                """,
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Reprieve {self.pk} of entry {self.entry_id}"
