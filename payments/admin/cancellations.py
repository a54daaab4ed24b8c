"""Cancelling a pool with paid places: proposed on the add page, confirmed by another, and watched until it is done."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import User
from config.admin import RowLink, WithRowActions
from config.confirmations import Shown, confirmed
from config.phrases import shown_amount, tell, tell_of
from config.reasons import LONGEST_REASON
from config.words import spoken, status_of
from payments.models import Cancellation, CancellationChange, CancellationState
from payments.services.cancellations import (
    confirm_cancellation,
    progress_of,
    propose_cancellation,
    withdraw_cancellation,
)
from payments.services.cancellations.progress import failed_refunds_of, places_left_of, unapplied_of
from pools.admin.made_by_service import MadeByService
from pools.admin.pool_ends import what_ends
from pools.admin.pools import PoolAdmin
from pools.models import Pool

# A confirm page is read by a person; and a progress page lists what somebody can work through.
MOST_SHOWN, MOST_LISTED = 5, 50
REFRESH_SECONDS = 5

# From the page of a pool.
PoolAdmin.links = (
    *PoolAdmin.links,
    RowLink(
        gettext_noop("Cancel and give all money back"),
        "payments.propose_cancellation",
        lambda pk: f"{reverse('admin:payments_cancellation_add')}?pool={pk}",
    ),
)

if TYPE_CHECKING:
    Base = forms.ModelForm[Cancellation]
else:
    Base = forms.ModelForm


class ProposalForm(Base):
    """Which pool, and why."""

    reason = forms.CharField(
        max_length=LONGEST_REASON,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Every player of the pool reads it."),
    )

    class Meta:
        model = Cancellation
        fields = ("pool", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        pools: Any = self.fields["pool"]
        pools.queryset = Pool.objects.in_play()

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


def what_confirming_does(rows: QuerySet[Cancellation]) -> Shown:
    """The preview of `confirm`, with the fingerprints of its numbers."""
    waiting = rows.filter(status=CancellationState.PROPOSED).select_related("pool").order_by("pk")
    said = [
        tell_of(
            waiting.count(),
            "{count} of {total} waits; the others are refused, and so is your own proposal.",
            "{count} of {total} wait; the others are refused, and so is your own proposal.",
            total=rows.count(),
        )
    ]
    seen = {}
    for cancellation in waiting[:MOST_SHOWN]:
        progress = progress_of(cancellation)
        seen[_seen_name(cancellation)] = progress.fingerprint
        pot = shown_amount(progress.pot_cents, cancellation.pool.currency)
        said.append(
            tell(
                "{pool} ends at once. Paid places that are given back: {places}; in its pot: {pot}. Why: {reason}",
                pool=cancellation.pool.name,
                places=progress.places_left,
                pot=pot,
                reason=cancellation.reason,
            )
        )
    said += what_ends([cancellation.pool for cancellation in waiting[:MOST_SHOWN]])
    return Shown([*said, gettext("Every player is told by mail. It cannot be undone.")], **seen)


def _seen_name(cancellation: Cancellation) -> str:
    return f"seen-{cancellation.pk}"


def what_withdrawing_does(rows: QuerySet[Cancellation]) -> list[str]:
    """The preview of `withdraw`."""
    waiting = rows.filter(status=CancellationState.PROPOSED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits; the others are refused.",
            "{count} of {total} wait; the others are refused.",
            total=rows.count(),
        ),
        gettext("The pools go on as if nothing had been said."),
    ]


@admin.register(Cancellation)
class CancellationAdmin(WithHistory, WithRowActions, MadeByService):
    """One row for each time that ending a pool was proposed."""

    handbook = "finance/refunds#cancelling-a-pool-with-money-in-it"
    add_form = ProposalForm
    change_model = CancellationChange
    change_form_outer_after_template = "payments/cancellation_page.html"
    list_display = ("id", "pool", "status", "places_total", "proposed_by", "proposed_at", "decided_by", "finished_at")
    list_display_links = ("id", "pool")
    list_select_related = ("pool", "proposed_by", "decided_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter),)
    search_fields = ("pool__name",)
    ordering = ("-id",)
    fields = (
        "pool", "status", "reason", "proposed_by", "proposed_at", "decided_by", "decided_at", "places_total",
        "finished_at", "history",
    )  # fmt: skip
    readonly_fields = ("history",)
    add_fieldsets: ClassVar = (
        (None, {
            "fields": ("pool", "reason"),
            "description": _("Somebody else has to confirm; then the pool ends, and every fee goes back."),
        }),
    )  # fmt: skip
    actions = ("confirm", "withdraw")

    def describe(self, row: Cancellation) -> str:
        """Which pool, and by whom."""
        return f"{row.pool} ({status_of(row)}), proposed by {row.proposed_by}"

    def make(self, form: Any, by: User) -> Cancellation:
        """A proposal."""
        return propose_cancellation(pool=form.cleaned_data["pool"], by=by, reason=form.cleaned_data["reason"])

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only while it waits, and confirming only to somebody else."""
        row: Cancellation | None = self.get_object(request, object_id)
        if row is None or row.status != CancellationState.PROPOSED:
            return False
        return name == "withdraw" or row.proposed_by_id != staff(request).pk

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; below it how far it is, and what keeps it. While it runs, the page looks again by itself."""
        row: Cancellation | None = self.get_object(request, object_id) if object_id else None
        told = {} if row is None else _told(row)
        page = super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})
        if row is not None and row.status == CancellationState.RUNNING and request.method == "GET":
            page["Refresh"] = str(REFRESH_SECONDS)
        return page

    @confirmed(
        "Confirm",
        permission="payments.confirm_cancellation",
        preview=what_confirming_does,
        done="confirmed",
        fresh=True,
    )
    def confirm(self, request: HttpRequest, row: Cancellation, reason: str) -> None:
        """End the pool."""
        seen = request.POST.get(_seen_name(row))
        confirm_cancellation(cancellation_id=row.pk, by=staff(request), seen=seen)

    @confirmed("Withdraw", permission="payments.propose_cancellation", preview=what_withdrawing_does, done="withdrawn")
    def withdraw(self, request: HttpRequest, row: Cancellation, reason: str) -> None:
        """Take it back."""
        withdraw_cancellation(cancellation_id=row.pk, by=staff(request))


def _told(row: Cancellation) -> dict[str, Any]:
    progress = progress_of(row)
    return {
        "progress": progress,
        "pot": shown_amount(progress.pot_cents, row.pool.currency),
        "is_running": row.status == CancellationState.RUNNING,
        "refresh_seconds": REFRESH_SECONDS,
        "refunds": [
            (spoken(one.status), one.count, shown_amount(one.amount_cents, one.currency)) for one in progress.refunds
        ],
        "failed": [
            (refund.pk, shown_amount(refund.amount_cents, refund.currency), spoken(refund.failure))
            for refund in failed_refunds_of(row)[:MOST_LISTED]
        ],
        "waiting": [
            (receipt.pk, shown_amount(receipt.amount_cents, receipt.currency), spoken(receipt.unapplied_because))
            for receipt in unapplied_of(row)[:MOST_LISTED]
        ],
        "stuck": [
            (receipt.pk, shown_amount(receipt.amount_cents, receipt.currency))
            for receipt in places_left_of(row)[:MOST_LISTED]
        ],
    }
