"""Many requests decided by one person at once, each with a result of its own.

The rows say what is to be done before the first of it is done, so that a worker can die anywhere: what is decided stays
decided, and the rest waits for the next worker, or is left as it is once somebody stops it.
"""

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q

from config.audit import never_deleted
from config.clock import ClockTimestamp
from config.kept_phrases import remade
from config.locks import LockedQuerySet
from config.phrases import in_language
from config.states import HasStatus, status_guard
from config.words import Words
from entries.models.request import Request


class BulkKind(Words):
    """What is decided about each of them."""

    APPROVE = "approve"
    REJECT = "reject"
    WAIT = "wait", "Put on the waiting list"
    TAKE_BACK = "take_back"


class BulkState(Words):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"


class BulkOutcome(Words):
    """`left`: stopped before its turn came."""

    WAITING = "waiting"
    DONE = "done"
    REFUSED = "refused"
    LEFT = "left", "Left as it was"


BULK_TRANSITIONS = {BulkState.RUNNING: (BulkState.DONE, BulkState.STOPPED)}
# What players read why.
WITH_REASON = (BulkKind.REJECT, BulkKind.TAKE_BACK)


class BulkDecision(HasStatus):
    kind = models.CharField(max_length=10, choices=BulkKind)
    reason = models.CharField(max_length=500, blank=True, default="", help_text="The players read it.")
    status = models.CharField(max_length=10, choices=BulkState, default=BulkState.RUNNING)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField(db_default=ClockTimestamp())
    finished_at = models.DateTimeField(null=True, blank=True)
    stopped_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )

    TRANSITIONS: ClassVar = BULK_TRANSITIONS

    objects = LockedQuerySet["BulkDecision"].as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=BulkKind.values), name="bulk_kind_known"),
            models.CheckConstraint(condition=Q(status__in=BulkState.values), name="bulk_status_known"),
            models.CheckConstraint(condition=~Q(kind__in=WITH_REASON) | ~Q(reason=""), name="bulk_has_reason"),
            models.CheckConstraint(
                condition=Q(status=BulkState.RUNNING, finished_at__isnull=True)
                | ~Q(status=BulkState.RUNNING) & Q(finished_at__isnull=False),
                name="bulk_ends_once",
            ),
            models.CheckConstraint(
                condition=Q(stopped_by__isnull=False, status=BulkState.STOPPED)
                | Q(stopped_by__isnull=True) & ~Q(status=BulkState.STOPPED),
                name="bulk_stop_is_named",
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=Q(status="running"), name="bulk_running"),
        ]
        triggers = [status_guard(BULK_TRANSITIONS), *never_deleted()]

    def __str__(self) -> str:
        return f"{BulkKind(self.kind).label} {self.pk}"


class BulkItemQuerySet(LockedQuerySet["BulkItem"]):
    def waiting(self) -> "BulkItemQuerySet":
        """Whose turn comes yet, oldest request first: what is scarce goes to whoever asked first."""
        return self.filter(outcome=BulkOutcome.WAITING).order_by("request_id")


class BulkItem(models.Model):
    """One request of a bulk decision, and what became of it."""

    bulk = models.ForeignKey(BulkDecision, on_delete=models.PROTECT, related_name="items")
    request = models.ForeignKey(Request, on_delete=models.PROTECT, related_name="bulk_items")
    outcome = models.CharField(max_length=10, choices=BulkOutcome, default=BulkOutcome.WAITING)
    code = models.CharField(max_length=40, blank=True, default="", help_text="Of the refusal.")
    message = models.CharField(max_length=500, blank=True, default="")
    # What the message was made of, to be said in the language of whoever reads it.
    recipe = models.JSONField(null=True, blank=True)
    decided_at = models.DateTimeField(null=True, blank=True)

    objects = BulkItemQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["request_id"]
        constraints = [
            models.UniqueConstraint(fields=["bulk", "request"], name="bulk_item_once"),
            models.CheckConstraint(condition=Q(outcome__in=BulkOutcome.values), name="bulk_item_outcome_known"),
            models.CheckConstraint(
                condition=Q(outcome=BulkOutcome.REFUSED) & ~Q(code="") & ~Q(message="")
                | ~Q(outcome=BulkOutcome.REFUSED) & Q(code="", message=""),
                name="bulk_item_refusal_says_why",
            ),
            models.CheckConstraint(
                condition=Q(outcome__in=(BulkOutcome.WAITING, BulkOutcome.LEFT), decided_at__isnull=True)
                | Q(outcome__in=(BulkOutcome.DONE, BulkOutcome.REFUSED), decided_at__isnull=False),
                name="bulk_item_decided_at",
            ),
        ]
        indexes = [
            models.Index(fields=["bulk", "request"], condition=Q(outcome="waiting"), name="bulk_item_waiting"),
        ]
        triggers = never_deleted()

    def __str__(self) -> str:
        return f"Request {self.request_id} of bulk decision {self.bulk_id}"

    @property
    def said(self) -> str:
        """Why it was refused, in the language of the page."""
        return in_language(remade(self.message, self.recipe))
