"""A player's wish for one place in a pool, from asking to paid.

Numbers 1 to the pool's limit are unique per player among live and rejected requests; withdrawing, expiring or getting
the fee back frees the number. An approved request holds a place in the pool until it is withdrawn, expires or is
refunded.
"""

from typing import ClassVar

import pgtrigger
from django.conf import settings
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q

from config.audit import StatusChange, append_only, feeds_status, never_deleted, record_status
from config.clock import ClockTimestamp
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard
from entries.models.exclusion_guards import not_for_excluded
from entries.models.tallies import fee_tallies
from entries.models.webhook_feeds import tells_of_requests
from pools.models import Pool


class RequestStatus(models.TextChoices):
    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class RequestKind(models.TextChoices):
    """A place of its own, or the way back in for an entry that fell."""

    ENTRY = "entry"
    BUY_BACK = "buy_back"


class PaymentStatus(models.TextChoices):
    NOT_DUE = "not_due"
    PENDING = "pending"
    COMPLETED = "completed"
    FAILED = "failed"
    REFUNDED = "refunded"


REQUEST_TRANSITIONS = {
    RequestStatus.PENDING: (RequestStatus.APPROVED, RequestStatus.REJECTED, RequestStatus.WITHDRAWN),
    RequestStatus.APPROVED: (RequestStatus.WITHDRAWN, RequestStatus.EXPIRED),
}

# A number is taken as long as the request is one of these, unless its fee went back.
UNDECIDED = Q(status="pending", waitlisted_at__isnull=True)
UNPAID = Q(status="approved", payment_status__in=("pending", "failed"))
NUMBER_HOLDING = (RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.REJECTED)


class RequestQuerySet(LockedQuerySet["Request"]):
    def of(self, user_id: int) -> "RequestQuerySet":
        return self.filter(user_id=user_id)

    def holding_a_place(self) -> "RequestQuerySet":
        """Approved: paid or still within its time to pay. Buying back in takes no place: its entry has one."""
        return self.filter(status=RequestStatus.APPROVED, kind=RequestKind.ENTRY).not_given_back()

    def holding_a_number(self) -> "RequestQuerySet":
        """Live or rejected requests for a place, whose number nobody else of the player's can have."""
        return self.filter(status__in=NUMBER_HOLDING, kind=RequestKind.ENTRY).not_given_back()

    def not_given_back(self) -> "RequestQuerySet":
        """Whose fee the player did not get back."""
        return self.exclude(payment_status=PaymentStatus.REFUNDED)

    def waiting_list(self) -> "RequestQuerySet":
        """Pending requests that staff put on the list of a full pool, first come first."""
        return self.filter(status=RequestStatus.PENDING, waitlisted_at__isnull=False).order_by("waitlisted_at", "id")


class Request(HasStatus):
    pool = models.ForeignKey(Pool, on_delete=models.PROTECT, related_name="requests")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="requests")
    kind = models.CharField(max_length=10, choices=RequestKind, default=RequestKind.ENTRY, db_default=RequestKind.ENTRY)
    number = models.PositiveSmallIntegerField()
    bought_entry = models.ForeignKey(
        "entries.Entry", on_delete=models.PROTECT, null=True, blank=True, related_name="buy_backs",
        help_text="The entry that buys back in.",
    )  # fmt: skip
    round_number = models.PositiveSmallIntegerField(null=True, blank=True, help_text="The round that entry fell in.")
    resumes_round_number = models.PositiveSmallIntegerField(
        null=True, blank=True, help_text="The round in which it plays again."
    )
    status = models.CharField(max_length=10, choices=RequestStatus, default=RequestStatus.PENDING)
    payment_status = models.CharField(max_length=10, choices=PaymentStatus, default=PaymentStatus.NOT_DUE)
    fee_cents = models.PositiveIntegerField(null=True, blank=True, help_text="Copied from the pool at approval.")
    currency = models.CharField(max_length=3, blank=True, default="")
    reason = models.CharField(
        max_length=500, blank=True, default="", help_text="Why staff turned it down; the player reads it."
    )
    pay_by = models.DateTimeField(null=True, blank=True)
    waitlisted_at = models.DateTimeField(null=True, blank=True)
    waived_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    waiver_reason = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    decided_at = models.DateTimeField(null=True, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    TRANSITIONS: ClassVar = REQUEST_TRANSITIONS

    objects = RequestQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["pool", "user", "number"],
                condition=Q(status__in=NUMBER_HOLDING, kind=RequestKind.ENTRY)
                & ~Q(payment_status=PaymentStatus.REFUNDED),
                name="request_number_unique",
            ),
            # One fall is bought back once, unless the fee went back.
            models.UniqueConstraint(
                fields=["bought_entry", "round_number"],
                condition=Q(status=RequestStatus.APPROVED, kind=RequestKind.BUY_BACK)
                & ~Q(payment_status=PaymentStatus.REFUNDED),
                name="request_buy_back_once",
            ),
            models.CheckConstraint(
                condition=Q(
                    kind=RequestKind.ENTRY,
                    bought_entry__isnull=True,
                    round_number__isnull=True,
                    resumes_round_number__isnull=True,
                )
                | Q(
                    kind=RequestKind.BUY_BACK,
                    bought_entry__isnull=False,
                    round_number__isnull=False,
                    resumes_round_number__isnull=False,
                    resumes_round_number__gt=models.F("round_number"),
                ),
                name="request_buy_back_names_entry",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="request_number_positive"),
            models.CheckConstraint(condition=Q(status__in=RequestStatus.values), name="request_status_known"),
            models.CheckConstraint(condition=Q(payment_status__in=PaymentStatus.values), name="request_payment_known"),
            models.CheckConstraint(
                condition=~Q(status=RequestStatus.APPROVED)
                | Q(fee_cents__isnull=False, decided_at__isnull=False) & ~Q(currency=""),
                name="request_approved_has_fee",
            ),
            models.CheckConstraint(
                condition=~Q(status=RequestStatus.APPROVED, payment_status=PaymentStatus.PENDING)
                | Q(pay_by__isnull=False),
                name="request_unpaid_has_pay_by",
            ),
            models.CheckConstraint(
                condition=~Q(payment_status__in=(PaymentStatus.COMPLETED, PaymentStatus.REFUNDED))
                | Q(status=RequestStatus.APPROVED),
                name="request_paid_is_approved",
            ),
            models.CheckConstraint(
                condition=Q(waived_by__isnull=True, waiver_reason="")
                | Q(waived_by__isnull=False, payment_status__in=(PaymentStatus.COMPLETED, PaymentStatus.REFUNDED))
                & ~Q(waiver_reason=""),
                name="request_waiver_is_named",
            ),
        ]
        indexes = [
            # For looking at some days of a big house: a page of summary, which no change of a status touches.
            BrinIndex(fields=["created_at"], name="request_by_time"),
            models.Index(fields=["pool", "status", "id"], name="request_pool_status"),
            models.Index(fields=["user", "-id"], name="request_user"),
            # The queue of whoever decides, over all pools.
            models.Index(fields=["id"], condition=Q(status="pending"), name="request_pending"),
            # The workbench's, oldest first: behind a long waiting list, and behind a million who have paid.
            models.Index(fields=["id"], condition=UNDECIDED, name="request_undecided"),
            models.Index(fields=["pool", "id"], condition=UNDECIDED, name="request_undecided_of_pool"),
            models.Index(fields=["id"], condition=UNPAID, name="request_owing"),
            models.Index(fields=["pay_by", "id"], condition=UNPAID, name="request_unpaid_until"),
            models.Index(
                fields=["pool", "waitlisted_at", "id"],
                condition=Q(status="pending", waitlisted_at__isnull=False),
                name="request_waiting",
            ),
        ]
        triggers = [
            status_guard(REQUEST_TRANSITIONS),
            Guard(
                name="number_within_limit",
                when=pgtrigger.Before,
                operation=pgtrigger.Insert
                | pgtrigger.UpdateOf(
                    "number", "pool_id", "user_id", "kind", "bought_entry_id", "round_number", "resumes_round_number"
                ),
                func="""
                    IF TG_OP = 'UPDATE' AND (NEW.number, NEW.pool_id, NEW.user_id, NEW.kind, NEW.bought_entry_id,
                                             NEW.round_number, NEW.resumes_round_number)
                        IS DISTINCT FROM (OLD.number, OLD.pool_id, OLD.user_id, OLD.kind, OLD.bought_entry_id,
                                          OLD.round_number, OLD.resumes_round_number) THEN
                        RAISE EXCEPTION 'whose request it is, and for what, never changes'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'request_identity';
                    END IF;
                    IF TG_OP = 'INSERT' AND NEW.kind = 'buy_back' AND NOT EXISTS (
                        SELECT 1 FROM entries_entry e WHERE e.id = NEW.bought_entry_id
                        AND (e.pool_id, e.user_id, e.number) = (NEW.pool_id, NEW.user_id, NEW.number)) THEN
                        RAISE EXCEPTION 'a player buys back in with an entry of their own'
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'request_of_its_entry';
                    END IF;
                    -- An entry that buys back in keeps its number, whatever the limit is now.
                    IF TG_OP = 'INSERT' AND NEW.kind = 'entry'
                       AND NEW.number > (SELECT max_entries_per_user FROM pools_pool WHERE id = NEW.pool_id) THEN
                        RAISE EXCEPTION 'request number % is above the pool''s limit', NEW.number
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'request_number_limit';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="fee_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("fee_cents", "currency"),
                condition=pgtrigger.Condition(
                    "OLD.fee_cents IS NOT NULL"
                    " AND (NEW.fee_cents, NEW.currency) IS DISTINCT FROM (OLD.fee_cents, OLD.currency)"
                ),
                # It was said at the approval; payments ask for it, and the pot is counted by it.
                func="""
                    RAISE EXCEPTION 'what request % costs was fixed when it was approved', OLD.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'request_fee_fixed';
                """,
            ),
            Guard(
                name="entry_keeps_request",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status", "payment_status"),
                condition=pgtrigger.Condition(
                    "NEW.status <> 'approved' OR (OLD.payment_status = 'completed'"
                    " AND NEW.payment_status <> 'completed')"
                ),
                func="""
                    IF EXISTS (SELECT 1 FROM entries_entry WHERE request_id = NEW.id AND status <> 'void') THEN
                        RAISE EXCEPTION 'request % has a living entry', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'request_has_entry';
                    END IF;
                    -- Who gets the fee of a return back does not keep the return.
                    IF EXISTS (SELECT 1 FROM entries_reprieve WHERE request_id = NEW.id AND revoked_at IS NULL) THEN
                        RAISE EXCEPTION 'request % has brought its entry back', NEW.id
                            USING ERRCODE = 'check_violation', CONSTRAINT = 'request_has_entry';
                    END IF;
                    RETURN NEW;
                """,
            ),
            Guard(
                name="refund_is_final",
                when=pgtrigger.Before,
                operation=pgtrigger.UpdateOf("status", "payment_status"),
                condition=pgtrigger.Condition(
                    "OLD.payment_status = 'refunded' AND (NEW.payment_status <> 'refunded' OR NEW.status <> OLD.status)"
                ),
                # Its place and its number may be somebody else's by now.
                func="""
                    RAISE EXCEPTION 'the fee of request % went back; it stays so', NEW.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'request_refund_is_final';
                """,
            ),
            Guard(
                name="mark_for_settlement",
                when=pgtrigger.After,
                operation=pgtrigger.UpdateOf("payment_status"),
                condition=pgtrigger.Condition(
                    "((OLD.payment_status = 'completed') <> (NEW.payment_status = 'completed'))"
                ),
                # A fee that comes or goes changes the pot of a pool that has shared it out.
                func="""
                    INSERT INTO entries_settlementmark (pool_id, from_round_number)
                    SELECT id, ended_round_number FROM pools_pool WHERE id = NEW.pool_id AND ended_round_number > 0;
                    RETURN NULL;
                """,
            ),
            not_for_excluded("request"),
            *record_status("entries_requestchange", ("payment_status", "reason", "fee_cents", "waitlisted_at")),
            *fee_tallies(),
            *never_deleted(),
        ]

    def __str__(self) -> str:
        return f"Request {self.number} of {self.user_id} for pool {self.pool_id}"


class RequestChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [
            *append_only(),
            feeds_status("request", owner="entries_request.user_id", keys=("payment_status",)),
            tells_of_requests(),
        ]

    def __str__(self) -> str:
        return f"Change {self.pk} of request {self.subject_id}"
