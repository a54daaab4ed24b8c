"""What two people gave up, what waits for the second of them, and what was found to be another business's."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import Reason, confirmed
from config.names import named
from config.phrases import shown_amount, tell
from config.words import spoken, status_of
from entries.admin.links import linked
from payments.admin.discrepancy_previews import (
    what_approving_writes_off,
    what_declining_writes_off,
    what_finding_ours_does,
)
from payments.admin.ways import journal_of, way_of_key
from payments.models import (
    Discrepancy,
    ForeignObject,
    ForeignObjectChange,
    ForeignState,
    WriteOff,
    WriteOffChange,
    WriteOffState,
)
from payments.services.queue.foreign import find_ours
from payments.services.queue.write_offs import approve_write_off, decline_write_off, said

APPROVE, FOREIGN = "payments.approve_writeoff", "payments.mark_foreign"


def doubt(row: Discrepancy) -> SafeString:
    """The way to a row of the queue."""
    address = reverse("admin:payments_discrepancy_change", args=[row.pk])
    return linked(address, f"{named(row.get_kind_display())}: {row.sentence}")


@admin.register(WriteOff)
class WriteOffAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One for each that was asked for."""

    handbook = "finance/reconciliation#write-offs"
    change_model = WriteOffChange
    list_display = ("id", "doubt", "amount", "account", "status", "requested_by", "requested_at", "decided_by")
    list_select_related = ("discrepancy", "requested_by", "decided_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), "currency", "livemode", "requested_at")
    search_fields = ("discrepancy__object_key", "reason")
    search_help_text = "What it is about, or why"
    ordering = ("-id",)
    fields = (
        "doubt", "amount", "account", "provider", "livemode", "reason", "status", "requested_by", "requested_at",
        "decided_by", "decided_at", "decision_reason", "booked", "history",
    )  # fmt: skip
    readonly_fields = ("doubt", "amount", "account", "booked", "history")
    actions = ("approve", "decline")

    def describe(self, row: WriteOff) -> str:
        """How much, of what, and who asks why."""
        return tell(
            "{what}: {doubt} Asked for by {person}: {reason} ({state})",
            what=said(row),
            doubt=row.discrepancy.sentence,
            person=row.requested_by,
            reason=row.reason,
            state=status_of(row),
        )

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it waits; the approval to somebody else alone."""
        row: WriteOff | None = self.get_object(request, object_id)
        if row is None or row.status != WriteOffState.REQUESTED:
            return False
        return name != "approve" or row.requested_by_id != staff(request).pk

    @admin.display(description="Discrepancy")
    def doubt(self, row: WriteOff) -> SafeString:
        """The way to its row in the queue."""
        return doubt(row.discrepancy)

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, row: WriteOff) -> str:
        """In whole units, and which way it goes."""
        return said(row)

    @admin.display(description="Clears", ordering="account_kind")
    def account(self, row: WriteOff) -> str:
        """The account on which it lay."""
        return spoken(row.account_kind)

    @admin.display(description="Booked")
    def booked(self, row: WriteOff) -> SafeString:
        """Its entry in the journal."""
        is_booked = row.status == WriteOffState.APPROVED
        return journal_of([("discrepancy", str(row.discrepancy_id))] if is_booked else [])

    @confirmed("Approve", permission=APPROVE, preview=what_approving_writes_off, done="written off", fresh=True)
    def approve(self, request: HttpRequest, row: WriteOff, reason: str) -> None:
        """The second name."""
        approve_write_off(write_off_id=row.pk, by=staff(request))

    @confirmed(
        "Decline", permission=APPROVE, preview=what_declining_writes_off, reason=Reason.REQUIRED, done="declined"
    )
    def decline(self, request: HttpRequest, row: WriteOff, reason: str) -> None:
        """Turn it down, or take one's own back."""
        decline_write_off(write_off_id=row.pk, by=staff(request), reason=reason)


@admin.register(ForeignObject)
class ForeignObjectAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """What the reconciliation leaves alone, and why."""

    handbook = "finance/reconciliation#what-is-not-ours"
    change_model = ForeignObjectChange
    list_display = ("id", "about", "amount", "status", "reason", "marked_by", "marked_at", "found_by")
    list_select_related = ("marked_by", "found_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), "currency", "livemode", "marked_at")
    search_fields = ("object_key", "reason")
    search_help_text = "What it is (movement:stripe:txn_1), or why"
    ordering = ("-id",)
    fields = (
        "about", "doubt", "amount", "account", "provider", "livemode", "reason", "status", "marked_by", "marked_at",
        "found_by", "found_at", "found_because", "booked", "history",
    )  # fmt: skip
    readonly_fields = ("about", "doubt", "amount", "account", "booked", "history")
    actions = ("ours_after_all",)

    def describe(self, row: ForeignObject) -> str:
        """What it is, how much, and why it is not ours."""
        return f"{row.object_key}{', ' if row.amount_cents else ''}{self.amount(row)}: {row.reason} ({status_of(row)})"

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it is marked."""
        row: ForeignObject | None = self.get_object(request, object_id)
        return row is not None and row.status == ForeignState.FOREIGN

    @admin.display(description="About", ordering="object_key")
    def about(self, row: ForeignObject) -> SafeString | str:
        """The way to it, if we have a page of it."""
        return way_of_key(row.object_key)

    @admin.display(description="Discrepancy")
    def doubt(self, row: ForeignObject) -> SafeString:
        """The row of the queue on which it was said."""
        return doubt(row.discrepancy)

    @admin.display(description="Moved", ordering="amount_cents")
    def amount(self, row: ForeignObject) -> str:
        """In whole units; nothing where nothing lay in the books."""
        return shown_amount(abs(row.amount_cents), row.currency) if row.amount_cents else ""

    @admin.display(description="Out of", ordering="account_kind")
    def account(self, row: ForeignObject) -> str:
        """The account on which it lay."""
        return spoken(row.account_kind)

    @admin.display(description="Booked")
    def booked(self, row: ForeignObject) -> SafeString:
        """There, and back."""
        return journal_of([("discrepancy", str(row.discrepancy_id))])

    @confirmed(
        "Ours after all",
        permission=FOREIGN,
        preview=what_finding_ours_does,
        reason=Reason.REQUIRED,
        done="found to be ours",
        fresh=True,
    )
    def ours_after_all(self, request: HttpRequest, row: ForeignObject, reason: str) -> None:
        """Book it back, and doubt again."""
        find_ours(mark_id=row.pk, by=staff(request), reason=reason)
