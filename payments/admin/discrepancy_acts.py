"""What is done to a row of the queue by its buttons: what its kind allows, as it is, to who may."""

from django.http import HttpRequest

from accounts.admin.staff import staff
from config.admin import WithRowActions
from config.confirmations import Reason, confirmed
from payments.admin import discrepancy_previews as previews
from payments.models import Discrepancy, ReceiptState, WriteOff, WriteOffState
from payments.models.discrepancy import OPEN_STATES
from payments.reconciliation.dispositions import Action
from payments.services.discrepancies import PERMISSION, acknowledge, put_back, resolve
from payments.services.queue.acting import allocate, ask_again, receipt_of, refund
from payments.services.queue.allowed import allowed_actions
from payments.services.queue.foreign import mark_foreign
from payments.services.queue.write_offs import approve_write_off, decline_write_off, request_write_off

REFUND, ASK = "payments.request_refund", "payments.ask_provider"
FOREIGN, WRITE_OFF, APPROVE = "payments.mark_foreign", "payments.request_writeoff", "payments.approve_writeoff"
# What stands in the table of dispositions, by the button that does it.
ACTIONS = {
    "look_after": Action.ACKNOWLEDGE,
    "ask_again": Action.RESYNC,
    "make_place": Action.ALLOCATE,
    "give_back": Action.REFUND,
    "mark_not_ours": Action.MARK_FOREIGN,
    "ask_write_off": Action.WRITE_OFF,
    "mark_resolved": Action.RESOLVE,
}


class WithActs(WithRowActions):
    """The buttons of a row, each behind a page that says what it does."""

    actions = (
        "look_after", "give_up", "ask_again", "make_place", "give_back", "mark_not_ours", "ask_write_off",
        "approve_write_off", "decline_write_off", "mark_resolved",
    )  # fmt: skip

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what may be done to a row of its kind, as it is, by this person."""
        row: Discrepancy | None = self.get_object(request, object_id)
        if row is None or row.status not in OPEN_STATES:
            return False
        wish = row.write_offs.filter(status=WriteOffState.REQUESTED).first()
        if name in ACTIONS and ACTIONS[name] not in allowed_actions(row):
            return False
        offered = {
            "look_after": row.owner_id is None,
            "give_up": row.owner_id is not None,
            "make_place": _waits(row),
            "ask_write_off": wish is None,
            "approve_write_off": wish is not None and wish.requested_by_id != staff(request).pk,
            "decline_write_off": wish is not None,
        }
        return offered.get(name, True)

    @confirmed("Look after", permission=PERMISSION, preview=previews.what_looking_after_does, done="looked after")
    def look_after(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Take it on; not from under somebody else's hands."""
        acknowledge(discrepancy_id=row.pk, by=staff(request), take_over=False)

    @confirmed("Put back", permission=PERMISSION, preview=previews.what_putting_back_does, done="put back")
    def give_up(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Nobody looks after it any more."""
        put_back(discrepancy_id=row.pk, by=staff(request))

    @confirmed("Ask the provider now", permission=ASK, preview=previews.what_asking_does, done="asked about")
    def ask_again(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Learn what is true, and apply it."""
        ask_again(discrepancy_id=row.pk, by=staff(request))

    @confirmed(
        "Make it a place",
        permission=PERMISSION,
        preview=previews.what_making_a_place_does,
        reason=Reason.REQUIRED,
        done="made places",
        fresh=True,
    )
    def make_place(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Allocate the money that waits."""
        allocate(discrepancy_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Give it back",
        permission=REFUND,
        preview=previews.what_giving_back_does,
        reason=Reason.REQUIRED,
        done="given back, or waiting for a second name",
        fresh=True,
    )
    def give_back(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Start the refund."""
        refund(discrepancy_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Not ours",
        permission=FOREIGN,
        preview=previews.what_marking_foreign_does,
        reason=Reason.REQUIRED,
        done="marked as not ours",
        fresh=True,
    )
    def mark_not_ours(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Another business's money."""
        mark_foreign(discrepancy_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Ask for a write-off",
        permission=WRITE_OFF,
        preview=previews.what_asking_for_a_write_off_does,
        reason=Reason.REQUIRED,
        done="asked for",
        fresh=True,
    )
    def ask_write_off(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """The first name."""
        request_write_off(discrepancy_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Approve the write-off",
        permission=APPROVE,
        preview=previews.what_approving_does,
        done="written off",
        fresh=True,
    )
    def approve_write_off(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """The second name."""
        approve_write_off(write_off_id=_wish_of(row, request), by=staff(request))

    @confirmed(
        "Decline the write-off",
        permission=APPROVE,
        preview=previews.what_declining_does,
        reason=Reason.REQUIRED,
        done="declined",
    )
    def decline_write_off(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Not like that."""
        decline_write_off(write_off_id=_wish_of(row, request), by=staff(request), reason=reason)

    @confirmed(
        "Resolve",
        permission=PERMISSION,
        preview=previews.what_resolving_does,
        reason=Reason.REQUIRED,
        done="resolved",
    )
    def mark_resolved(self, request: HttpRequest, row: Discrepancy, reason: str) -> None:
        """Close it, and say how."""
        resolve(discrepancy_id=row.pk, by=staff(request), resolution=reason)


def _waits(row: Discrepancy) -> bool:
    receipt = receipt_of(row)
    return receipt is not None and receipt.status == ReceiptState.UNAPPLIED


def _wish_of(row: Discrepancy, request: HttpRequest) -> int:
    """The write-off that was read about; one that is not there, or waits no more, is refused by the service."""
    wishes = WriteOff.objects.filter(discrepancy=row)
    read = request.POST.get(previews.wish_name(row.pk), "")
    waiting = wishes.filter(pk=read) if read.isdecimal() else wishes.filter(status=WriteOffState.REQUESTED)
    return waiting.values_list("pk", flat=True).first() or 0
