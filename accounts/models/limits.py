"""What a player is kept to: times without play, and how much a month may cost.

Rows are added and stay as they are. So no end moves to an earlier day and no wait becomes shorter, whoever asks: more
of either is another row beside the first. When each begins and ends the database works out, whatever was given.
"""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from config.audit import append_only, feeds
from config.clock import ClockTimestamp
from config.triggers import Guard

# Days of a cooling-off, of the shortest self-exclusion, and of the longest of either kind with an end.
COOLING_OFF = (1, 42)
SELF_EXCLUSION_AT_LEAST = 180
LONGEST = 3660
# How long a looser limit waits: nobody raises it in the heat of the moment.
WAIT_DAYS = 7


class ExclusionKind(models.TextChoices):
    """Who wanted it, and for how long."""

    SELF_EXCLUSION = "self_exclusion"
    COOLING_OFF = "cooling_off"
    STAFF = "staff", "Excluded by staff"


class ExclusionQuerySet(models.QuerySet["Exclusion"]):
    def of(self, user_id: int) -> "ExclusionQuerySet":
        return self.filter(user_id=user_id)

    def in_force(self, now: object) -> "ExclusionQuerySet":
        """Those that are not over.

        Each begins as it is written: one that we see has begun, even where `now` was read before we waited for it.
        """
        return self.filter(Q(until=None) | Q(until__gt=now))


class Exclusion(models.Model):
    """A time in which somebody gets no place and pays for none. One row may outlast another; the last end counts."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="exclusions")
    kind = models.CharField(max_length=14, choices=ExclusionKind)
    days = models.PositiveSmallIntegerField(null=True, blank=True, help_text="Each of 24 hours. Empty: for good.")
    begins_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    until = models.DateTimeField(null=True, blank=True, editable=False, help_text="Empty: for good.")
    reason = models.CharField(max_length=500, blank=True, default="", help_text="Why staff decided it.")
    by = models.ForeignKey(
        User, on_delete=models.PROTECT, null=True, blank=True, related_name="+", help_text="Empty: the player."
    )
    continues = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+",
        help_text="The exclusion of an account that they had before.",
    )  # fmt: skip

    objects = ExclusionQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=ExclusionKind.values), name="exclusion_kind_known"),
            # Of a missing number PostgreSQL knows neither, and a check that it knows nothing of has passed.
            models.CheckConstraint(
                condition=~Q(kind=ExclusionKind.COOLING_OFF) | Q(days__isnull=False, days__range=COOLING_OFF),
                name="exclusion_cooling_off_days",
            ),
            models.CheckConstraint(
                condition=~Q(kind=ExclusionKind.SELF_EXCLUSION)
                | Q(days__isnull=True)
                | Q(days__gte=SELF_EXCLUSION_AT_LEAST),
                name="exclusion_self_exclusion_days",
            ),
            models.CheckConstraint(condition=Q(days__isnull=True) | Q(days__range=(1, LONGEST)), name="exclusion_days"),
            models.CheckConstraint(
                condition=Q(kind=ExclusionKind.STAFF, by__isnull=False) & ~Q(reason="")
                | ~Q(kind=ExclusionKind.STAFF) & Q(by__isnull=True, reason=""),
                name="exclusion_staff_is_named",
            ),
        ]
        indexes = [
            models.Index(fields=["user", "until"], name="exclusion_user"),
            models.Index(fields=["until"], name="exclusion_end"),
        ]
        triggers = [
            Guard(
                name="stamped",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("earlier", "accounts_exclusion")],
                # Whoever is giving this player a place holds their row and goes first; the others see this one.
                func="""
                    PERFORM 1 FROM accounts_user WHERE id = NEW.user_id FOR UPDATE;
                    NEW.begins_at := clock_timestamp();
                    IF NEW.continues_id IS NULL THEN
                        NEW.until := NEW.begins_at + make_interval(hours => 24 * NEW.days);
                    ELSE
                        SELECT * INTO STRICT earlier FROM accounts_exclusion WHERE id = NEW.continues_id;
                        NEW.kind := earlier.kind;
                        NEW.days := earlier.days;
                        NEW.until := earlier.until;
                        NEW.by_id := earlier.by_id;
                        NEW.reason := earlier.reason;
                    END IF;
                    RETURN NEW;
                """,
            ),
            *append_only(),
            feeds(
                "exclusion",
                verb="'began'",
                subject="n.id",
                person="n.user_id",
                actor="coalesce(n.by_id, n.user_id)",
                data="'kind', n.kind, 'until', n.until",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} of user {self.user_id}"


class ExcludedAddress(models.Model):
    """An address of somebody who is excluded, as a digest: they do not begin anew with it under another account."""

    exclusion = models.ForeignKey(Exclusion, on_delete=models.PROTECT, related_name="addresses")
    digest = models.CharField(max_length=64, db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex="^[0-9a-f]{64}$"), name="excluded_address_digest"),
        ]
        triggers = append_only()

    def __str__(self) -> str:
        return f"Address of exclusion {self.exclusion_id}"


class SpendingLimitQuerySet(models.QuerySet["SpendingLimit"]):
    def of(self, user_id: int) -> "SpendingLimitQuerySet":
        return self.filter(user_id=user_id)


class SpendingLimit(models.Model):
    """What a player wants a calendar month to cost at most, in one currency. The newest that has begun to hold, holds.

    A lower one holds at once, and puts an end to whatever was waiting; a higher one, or none, waits.
    """

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="spending_limits")
    currency = models.CharField(max_length=3)
    amount_cents = models.PositiveBigIntegerField(null=True, blank=True, help_text="Empty: no limit.")
    asked_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)
    effective_at = models.DateTimeField(db_default=ClockTimestamp(), editable=False)

    objects = SpendingLimitQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(currency__regex="^[a-z]{3}$"), name="spending_limit_currency"),
        ]
        indexes = [
            models.Index(fields=["user", "currency", "-id"], name="spending_limit_newest"),
            models.Index(fields=["effective_at"], name="spending_limit_begins"),
        ]
        triggers = [
            Guard(
                name="stamped",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                declare=[("standing", "bigint")],
                # Two wishes of one player come one after the other; so do a wish and the start of a payment.
                func=f"""
                    PERFORM 1 FROM accounts_user WHERE id = NEW.user_id FOR NO KEY UPDATE;
                    NEW.asked_at := clock_timestamp();
                    SELECT amount_cents INTO standing FROM accounts_spendinglimit
                    WHERE (user_id, currency) = (NEW.user_id, NEW.currency) AND effective_at <= NEW.asked_at
                    ORDER BY id DESC LIMIT 1;
                    NEW.effective_at := NEW.asked_at + CASE
                        WHEN standing IS NOT NULL AND (NEW.amount_cents IS NULL OR NEW.amount_cents > standing)
                        THEN make_interval(hours => 24 * {WAIT_DAYS}) ELSE make_interval() END;
                    RETURN NEW;
                """,
            ),
            *append_only(),
            feeds(
                "spending_limit",
                verb="'asked'",
                subject="n.id",
                person="n.user_id",
                actor="n.user_id",
                reason="''",
                data="'from', n.effective_at",
            ),
        ]

    def __str__(self) -> str:
        return f"Limit of user {self.user_id} in {self.currency}"
