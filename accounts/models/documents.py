"""Papers that a person handed in: who they are, where they live, what the tax office wants. The files lie elsewhere."""

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from accounts.models.user import User
from config.audit import StatusChange, append_only, feeds_status, record_status
from config.clock import ClockTimestamp
from config.encryption import EncryptedTextField
from config.locks import LockedQuerySet
from config.states import HasStatus, status_guard
from config.triggers import Guard


class DocumentKind(models.TextChoices):
    """What it is to show."""

    IDENTITY = "identity", "Who somebody is"
    ADDRESS = "address", "Where somebody lives"
    TAX_FORM = "tax_form", "A form for the tax office"


class DocumentStatus(models.TextChoices):
    """Where it stands. `uploaded`: no scanner has looked at it, or will."""

    UPLOADED = "uploaded"
    CLEAN = "clean"
    INFECTED = "infected"
    ACCEPTED = "accepted"
    REJECTED = "rejected"


DOCUMENT_TRANSITIONS = {
    DocumentStatus.UPLOADED: (
        DocumentStatus.CLEAN, DocumentStatus.INFECTED, DocumentStatus.ACCEPTED, DocumentStatus.REJECTED,
    ),
    DocumentStatus.CLEAN: (DocumentStatus.ACCEPTED, DocumentStatus.REJECTED),
}  # fmt: skip


class DocumentQuerySet(LockedQuerySet["Document"]):
    def of(self, user_id: int) -> "DocumentQuerySet":
        return self.filter(owner_id=user_id)

    def undecided(self) -> "DocumentQuerySet":
        """Those that wait for a person to look at them."""
        return self.filter(status__in=(DocumentStatus.UPLOADED, DocumentStatus.CLEAN))

    def filling(self) -> "DocumentQuerySet":
        """Those that take up room without anybody having said so: the same, and in which something was found."""
        return self.exclude(status__in=(DocumentStatus.ACCEPTED, DocumentStatus.REJECTED))


class Document(HasStatus):
    """One file. Its row goes when its file does; what became of it stays in its changes and in the audit."""

    owner = models.ForeignKey(User, on_delete=models.PROTECT, related_name="documents")
    kind = models.CharField(max_length=10, choices=DocumentKind)
    status = models.CharField(max_length=10, choices=DocumentStatus, default=DocumentStatus.UPLOADED)
    name = EncryptedTextField(help_text="As its owner called it, made harmless. People call files by their names.")
    key = models.CharField(max_length=100, unique=True, editable=False, help_text="Where the file lies.")
    content_type = models.CharField(max_length=20)
    size = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)
    uploaded_at = models.DateTimeField(db_default=ClockTimestamp())
    scanned_at = models.DateTimeField(null=True, blank=True)
    finding = models.CharField(max_length=200, blank=True, help_text="What the scanner found.")
    decided_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=500, blank=True, help_text="What its owner is told.")

    TRANSITIONS: ClassVar = DOCUMENT_TRANSITIONS

    objects = DocumentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-id"]
        permissions = [("review_document", "Can open people's documents and decide about them")]
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=DocumentKind.values), name="document_kind_known"),
            models.CheckConstraint(condition=Q(status__in=DocumentStatus.values), name="document_status_known"),
            models.CheckConstraint(condition=Q(sha256__regex="^[0-9a-f]{64}$"), name="document_sha256"),
            models.CheckConstraint(
                condition=Q(
                    status__in=(DocumentStatus.ACCEPTED, DocumentStatus.REJECTED),
                    decided_by__isnull=False,
                    decided_at__isnull=False,
                )
                | ~Q(status__in=(DocumentStatus.ACCEPTED, DocumentStatus.REJECTED))
                & Q(decided_by__isnull=True, decided_at__isnull=True),
                name="document_decision_is_named",
            ),
            models.CheckConstraint(
                condition=~Q(status=DocumentStatus.REJECTED) | ~Q(reason=""), name="document_rejected_with_reason"
            ),
            models.CheckConstraint(
                condition=Q(decided_by__isnull=True) | ~Q(decided_by=models.F("owner")),
                name="document_decided_by_another",
            ),
        ]
        indexes = [
            models.Index(fields=["owner", "-id"], name="document_owner"),
            models.Index(fields=["uploaded_at", "id"], name="document_age"),
        ]
        triggers = [
            status_guard(DOCUMENT_TRANSITIONS),
            Guard(
                name="document_stays",
                when=pgtrigger.Before,
                operation=pgtrigger.Update,
                condition=pgtrigger.Condition(
                    "ROW(OLD.owner_id, OLD.kind, OLD.key, OLD.content_type, OLD.size, OLD.sha256)"
                    " IS DISTINCT FROM ROW(NEW.owner_id, NEW.kind, NEW.key, NEW.content_type, NEW.size, NEW.sha256)"
                ),
                func="""
                    RAISE EXCEPTION 'document % is the file that was handed in', OLD.id
                        USING ERRCODE = 'check_violation', CONSTRAINT = 'document_stays';
                """,
            ),
            *record_status("accounts_documentchange"),
        ]

    def __str__(self) -> str:
        return f"Document {self.pk} of user {self.owner_id}"


class DocumentChange(StatusChange):
    class Meta:
        ordering: ClassVar = ["id"]
        triggers = [*append_only(), feeds_status("document", owner="accounts_document.owner_id")]

    def __str__(self) -> str:
        return f"Change {self.pk} of document {self.subject_id}"
