"""A paid place: number 1, 2, 3 of a player in a pool. Its fate is written by settlement, never by hand."""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.pages.changes import tells_pages
from config.states import HasStatus, status_guard
from config.triggers import Guard
from entries.models.exclusion_guards import not_for_excluded
from entries.models.request import Request
from entries.models.tallies import entry_tallies
from entries.models.webhook_feeds import tells_of_entries
from pools.models import Pool
from pools.models.competition import REVEAL_LOCK


class EntryStatus(models.TextChoices):
    ACTIVE = "active"
    ELIMINATED = "eliminated"
    WINNER = "winner"
    VOID = "void"


ENTRY_TRANSITIONS = {
    EntryStatus.ACTIVE: (EntryStatus.ELIMINATED, EntryStatus.WINNER, EntryStatus.VOID),
}


# Where an entry stands, the smaller the better: winners, then who is still in, then by rounds survived.
STANDING = Case(
    When(status=EntryStatus.WINNER, then=Value(0)),
    When(status=EntryStatus.ACTIVE, then=Value(1)),
    default=Value(100_000) - F("eliminated_round_number"),
    output_field=IntegerField(),
)


class EliminationReason(models.TextChoices):
    """Codes of `eliminated_reason`."""

    PICK_LOST = "pick_lost"
    PICK_TIED = "pick_tied"
    NO_PICK = "no_pick"
    GAME_CANCELLED = "game_cancelled"
    TIEBREAK = "tiebreak"


class EntryQuerySet(LockedQuerySet["Entry"]):
    def of(self, user_id: int) -> "EntryQuerySet":
        return self.filter(user_id=user_id)

    def counted(self) -> "EntryQuerySet":
        """Everything but void places."""
        return self.exclude(status=EntryStatus.VOID)


def _marks_for_settlement() -> list[Guard]:
    """A new entry, or one that becomes void or stops being so, changes what its whole pool comes to."""
    mark = "INSERT INTO entries_settlementmark (pool_id, from_round_number)"
    return [
        Guard(
            name="mark_insert",
            level=pgtrigger.Statement,
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            referencing=pgtrigger.Referencing(new="new_rows"),
            func=f"""
                {mark} SELECT n.pool_id, min(n.first_round_number) FROM new_rows n GROUP BY n.pool_id;
                RETURN NULL;
            """,
        ),
        # Row by row, because few rows pass the condition: a settlement pays nothing for it. From the pool's first round
        # on: who comes in late counts as alive from there, and the pool can have ended before that entry's own round.
        Guard(
            name="mark_void",
            when=pgtrigger.After,
            operation=pgtrigger.Update,
            condition=pgtrigger.Condition(
                "NEW.first_round_number <> OLD.first_round_number OR (NEW.status = 'void') <> (OLD.status = 'void')"
            ),
            func=f"""
                {mark} SELECT id, first_round_number FROM pools_pool WHERE id = NEW.pool_id;
                RETURN NULL;
            """,
        ),
    ]


class Entry(HasStatus):
    request = models.OneToOneField(Request, on_delete=models.PROTECT, related_name="entry")
    # Not indexed on their own: the indexes below begin with them, and each one more slows down every settlement.
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="entries", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="entries", db_index=False)
    number = models.PositiveSmallIntegerField()
    first_round_number = models.PositiveSmallIntegerField(
        db_default=0, help_text="The first round it plays: the pool's own, unless it came in late."
    )
    reference = models.CharField(
        max_length=60, blank=True, default="", help_text="The entry's own name in the system it was imported from."
    )
    status = models.CharField(max_length=10, choices=EntryStatus, default=EntryStatus.ACTIVE)
    strikes = models.PositiveSmallIntegerField(default=0)
    eliminated_round_number = models.PositiveSmallIntegerField(null=True, blank=True)
    eliminated_code = models.CharField(max_length=20, blank=True, default="", choices=EliminationReason)
    rules_version = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The version that the elimination quotes."
    )
    prize_cents = models.PositiveBigIntegerField(null=True, blank=True)
    is_suspended = models.BooleanField(
        default=False, db_default=False,
        help_text="Its money is disputed. It plays on; whether it may pick, the pool says.",
    )  # fmt: skip
    created_at = models.DateTimeField(db_default=ClockTimestamp())

    TRANSITIONS: ClassVar = ENTRY_TRANSITIONS

    objects = EntryQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "entries"
        ordering: ClassVar = ["id"]
        constraints = [
            models.CheckConstraint(condition=Q(status__in=EntryStatus.values), name="entry_status_known"),
            models.CheckConstraint(
                condition=~Q(status=EntryStatus.ELIMINATED)
                | Q(eliminated_round_number__isnull=False) & ~Q(eliminated_code=""),
                name="entry_eliminated_has_round",
            ),
            models.CheckConstraint(
                condition=~Q(status=EntryStatus.ACTIVE)
                | Q(eliminated_round_number__isnull=True, prize_cents__isnull=True),
                name="entry_active_is_clean",
            ),
            models.UniqueConstraint(
                fields=["pool", "reference"], condition=~Q(reference=""), name="entry_reference_unique"
            ),
        ]
        indexes = [
            # For looking at some days of a big house: a page of summary, which no change of a status touches.
            BrinIndex(fields=["created_at"], name="entry_by_time"),
            models.Index(fields=["pool", "status"], name="entry_pool_status"),
            models.Index(fields=["user", "-id"], name="entry_user"),
            models.Index(F("pool"), STANDING, F("id"), condition=~Q(status=EntryStatus.VOID), name="entry_standing"),
        ]
        triggers = [
            status_guard(ENTRY_TRANSITIONS, correctable=True),
            Guard(
                name="born_of_paid_request",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert | pgtrigger.UpdateOf("request_id", "pool_id", "user_id", "number"),
                # FOR SHARE: the request cannot lose its payment between this look and our commit.
                func="""
                    PERFORM 1 FROM entries_request r WHERE r.id = NEW.request_id AND r.status = 'approved'
                        AND r.payment_status = 'completed'
                        AND (r.pool_id, r.user_id, r.number) = (NEW.pool_id, NEW.user_id, NEW.number) FOR SHARE;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'an entry needs an approved, paid request of the same player and number'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_needs_payment';
                    END IF;
                    IF NEW.first_round_number = 0 THEN
                        SELECT first_round_number INTO NEW.first_round_number FROM pools_pool WHERE id = NEW.pool_id;
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="before_its_round_locks",
                when=pgtrigger.After,
                operation=pgtrigger.Insert,
                condition=pgtrigger.Condition("NEW.first_round_number > 1"),
                declare=[("this_round", "bigint"), ("locks", "timestamptz")],
                # A pool may end once the last round to come in for is revealed, so nobody may come after that.
                func=f"""
                    SELECT r.id INTO this_round FROM pools_pool p
                        JOIN pools_round r ON r.competition_id = p.competition_id AND r.number = NEW.first_round_number
                        WHERE p.id = NEW.pool_id AND NEW.first_round_number > p.first_round_number;
                    IF this_round IS NULL THEN
                        RETURN NULL;
                    END IF;
                    PERFORM pg_advisory_xact_lock_shared({REVEAL_LOCK}, this_round::int);
                    SELECT locks_at INTO locks FROM pools_round WHERE id = this_round;
                    IF locks <= clock_timestamp() THEN
                        RAISE EXCEPTION 'round % has locked; nobody comes in for it', NEW.first_round_number
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_before_lock';
                    END IF;
                    RETURN NULL;
                """,
            ),
            Guard(
                name="void_without_money",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status"),
                condition=pgtrigger.Condition("OLD.status = 'void' AND NEW.status <> 'void'"),
                # FOR SHARE: as above, the request cannot lose its payment meanwhile.
                func="""
                    PERFORM 1 FROM entries_request WHERE id = NEW.request_id AND payment_status = 'completed' FOR SHARE;
                    IF NOT FOUND THEN
                        RAISE EXCEPTION 'the fee of entry % went back: there is no place to return to', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'entry_needs_payment';
                    END IF;
                    RETURN NEW;
                """,
            ),
            not_for_excluded("entry"),
            *_marks_for_settlement(),
            *entry_tallies(),
            *tells_pages("'pool:' || n.pool_id", many=True),
            *record_status(
                "entries_entrychange",
                (
                    "strikes",
                    "eliminated_round_number",
                    "eliminated_code",
                    "rules_version",
                    "prize_cents",
                    "is_suspended",
                ),
            ),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Entry {self.number} of {self.user_id} in pool {self.pool_id}"


class EntryChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status("entry", owner="entries_entry.user_id", keys=("is_suspended",)),
            tells_of_entries(),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of entry {self.subject_id}"
