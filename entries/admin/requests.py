"""Requests in the back office: a list to find them in, and the decisions, one row or many at once.

Each action shows first what it will do, then calls the service of the API row by row, each in a transaction of its
own; refusals are counted by their reason and stop nobody else. Oldest requests come first, whatever the list is
sorted by, so that the last free place goes to whoever asked first.
"""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import HouseAdmin, WithRowActions
from config.clock import database_now
from config.confirmations import Reason, confirmed
from config.phrases import Name, shown_amount, tell
from entries.admin.request_previews import (
    DECIDES,
    what_approval_does,
    what_rejection_does,
    what_taking_back_does,
    what_waiting_does,
)
from entries.admin.workbench import WithWorkbench, as_one_piece
from entries.models import BulkKind, PaymentStatus, Request, RequestChange, RequestKind
from entries.services.approvals import approve_request, reject_request, waitlist_request
from entries.services.requests import withdraw_request


@admin.register(Request)
class RequestAdmin(WithHistory, WithRowActions, WithWorkbench, HouseAdmin):
    """Everybody's requests. Nothing is edited by hand."""

    handbook = "staff/requests#the-list-of-requests"
    change_model = RequestChange
    list_display = (
        "id", "kind", "pool", "user", "email", "number", "status", "payment_status", "fee", "entry_number",
        "waitlisted_at", "pay_by", "created_at",
    )  # fmt: skip
    list_select_related = ("pool", "user", "entry")
    list_filter: ClassVar = (
        ("kind", ChoicesDropdownFilter),
        ("status", ChoicesDropdownFilter),
        ("payment_status", ChoicesDropdownFilter),
        ("pool", AutocompleteSelectFilter),
        ("waitlisted_at", admin.EmptyFieldListFilter),
    )
    search_fields = ("user__email", "user__display_name")
    search_help_text = "The player's e-mail address or name"
    ordering = ("-id",)
    fields = (
        "kind", "pool", "user", "email", "number", "bought_entry", "round_number", "resumes_round_number", "status",
        "payment_status", "fee", "reason", "pay_by", "waitlisted_at", "waived_by", "waiver_reason", "created_at",
        "decided_at", "decided_by", "history",
    )  # fmt: skip
    readonly_fields = ("email", "fee", "history")
    actions = ("approve", "reject", "put_on_waiting_list", "take_back")
    actions_list = ("workbench",)

    def describe(self, row: Request) -> str:
        """Whose request, for what, and where it stands."""
        stands = PaymentStatus.REFUNDED if row.payment_status == PaymentStatus.REFUNDED else row.status
        facts = {
            "person": f"{row.user.display_name} <{row.user.email}>",
            "number": row.number,
            "pool": row.pool.name,
            "state": Name(stands),
        }
        if row.kind == RequestKind.BUY_BACK:
            return tell("{person}, buy-back of entry {number} for {pool}: {state}", **facts)
        return tell("{person}, request {number} for {pool}: {state}", **facts)

    @admin.display(description="E-mail", ordering="user__email")
    def email(self, request: Request) -> str:
        """The player's."""
        return request.user.email

    @admin.display(description="Fee", ordering="fee_cents")
    def fee(self, request: Request) -> str:
        """In whole units, once there is one."""
        return "" if request.fee_cents is None else shown_amount(request.fee_cents, request.currency)

    @admin.display(description="Entry")
    def entry_number(self, request: Request) -> str:
        """The entry that was born of it, or that it buys back in."""
        if request.kind == RequestKind.BUY_BACK:
            return str(request.bought_entry_id)
        return str(request.entry.pk) if hasattr(request, "entry") else ""

    @confirmed(
        "Approve", permission=DECIDES, preview=what_approval_does, done="approved", many=as_one_piece(BulkKind.APPROVE)
    )
    def approve(self, request: HttpRequest, row: Request, reason: str) -> None:
        """Hold a place for each."""
        approve_request(request=row, by=staff(request), now=database_now())

    @confirmed(
        "Reject",
        permission=DECIDES,
        preview=what_rejection_does,
        reason=Reason.REQUIRED,
        done="rejected",
        many=as_one_piece(BulkKind.REJECT),
    )
    def reject(self, request: HttpRequest, row: Request, reason: str) -> None:
        """Turn each down, for one reason."""
        reject_request(request=row, by=staff(request), now=database_now(), reason=reason)

    @confirmed(
        "Put on the waiting list",
        permission=DECIDES,
        preview=what_waiting_does,
        done="put on the waiting list",
        many=as_one_piece(BulkKind.WAIT),
    )
    def put_on_waiting_list(self, request: HttpRequest, row: Request, reason: str) -> None:
        """Let each wait for a place of a full pool."""
        waitlist_request(request=row, by=staff(request), now=database_now())

    @confirmed(
        "Take back",
        permission=DECIDES,
        preview=what_taking_back_does,
        reason=Reason.REQUIRED,
        done="taken back",
        many=as_one_piece(BulkKind.TAKE_BACK),
    )
    def take_back(self, request: HttpRequest, row: Request, reason: str) -> None:
        """Undo a mistaken approval, as long as nothing is paid."""
        withdraw_request(request=row, by=staff(request), now=database_now(), reason=reason)
