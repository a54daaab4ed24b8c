"""Money by hand in the back office: what waits for a second name, what was decided, and the scans beside it."""

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Prefetch, QuerySet
from django.http import FileResponse, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config import audit
from config.admin import ReadOnlyAdmin, RowLink, WithRowActions, list_button
from config.confirmations import Reason, confirmed
from config.downloads import attachment
from config.phrases import Money, shown_amount, tell, tell_of
from config.words import status_of, within
from entries.admin.links import linked
from entries.admin.requests import RequestAdmin
from payments.admin.handover import HandoverForm, PaymentForm, PayoutForm, RefundForm, handover_page
from payments.admin.repayment_form import RepaymentForm
from payments.models import Evidence, ManualRecord, ManualRecordChange, ManualState
from payments.services.manual.deciding import confirm_record, reject_record
from payments.services.manual.records import player_id_of

RECORDS, CONFIRMS, DOWNLOADS = "payments.record_manual", "payments.confirm_manual", "payments.download_evidence"


def to_handover(label: str, page: str, subject: str) -> RowLink:
    """To the form of a handover, with what it is about filled in."""
    return RowLink(label, RECORDS, lambda pk: f"{reverse(f'admin:payments_manualrecord_{page}')}?{subject}={pk}")


class Waiting(admin.SimpleListFilter):
    """Those that wait for a second name, unless something else is asked for."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The other lists."""
        return (("confirmed", gettext("Confirmed")), ("rejected", gettext("Turned down")), ("all", gettext("All")))

    def choices(self, changelist: Any) -> Iterator[Any]:
        """Django's, with "Waiting" where it says "All"."""
        first, *others = super().choices(changelist)
        yield {**first, "display": "Waiting for a second name"}
        yield from others

    def queryset(self, request: HttpRequest, queryset: QuerySet[ManualRecord]) -> QuerySet[ManualRecord]:
        """By status."""
        wanted = self.value()
        return queryset if wanted == "all" else queryset.filter(status=wanted or ManualState.RECORDED)


def what_confirming_does(rows: QuerySet[ManualRecord]) -> list[str]:
    """The preview of `confirm`."""
    waiting = rows.filter(status=ManualState.RECORDED)
    return [
        tell_of(
            waiting.count(),
            "{count} of {total} waits for a second name; the others are refused.",
            "{count} of {total} wait for a second name; the others are refused.",
            total=rows.count(),
        ),
        gettext(
            "You say that the money has passed as it was written down. What came is "
            "booked: it buys its place, or is held."
        ),
        gettext("What left is out, and no refund or prize is sent a second time."),
    ]


def what_rejecting_does(rows: QuerySet[ManualRecord]) -> list[str]:
    """The preview of `turn_down`."""
    waiting = rows.filter(status=ManualState.RECORDED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits; the others are refused.",
            "{count} of {total} wait; the others are refused.",
            total=rows.count(),
        ),
        gettext(
            "They count for nothing, and their references are free again. They stay in the list, with your reason."
        ),
    ]


@admin.register(ManualRecord)
class ManualRecordAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One passing of money by hand."""

    handbook = "finance/payments#money-by-hand"
    change_model = ManualRecordChange
    list_display = (
        "id", "direction", "player", "method", "reference", "amount", "passed_at", "status", "recorded_by",
        "decided_by", "files",
    )  # fmt: skip
    list_select_related = (
        "payment__request__user", "refund__receipt__payment__request__user", "payout__player", "correction__player",
        "recorded_by", "decided_by",
    )  # fmt: skip
    list_filter: ClassVar = (Waiting, ("method", ChoicesDropdownFilter), "recorded_at", "passed_at")
    search_fields = (
        "reference", "payment__request__user__email", "refund__receipt__payment__request__user__email",
        "payout__player__email", "correction__player__email",
    )  # fmt: skip
    search_help_text = "The reference, or the player's e-mail address"
    ordering = ("-id",)
    fields = (
        "direction", "player", "about", "method", "reference", "amount", "passed_at", "note", "files", "status",
        "recorded_by", "recorded_at", "decided_by", "decided_at", "decision_reason", "history",
    )  # fmt: skip
    readonly_fields = ("direction", "player", "about", "amount", "files", "history")
    actions = ("confirm", "turn_down")
    actions_list = ("record_payment", "record_refund", "record_payout", "record_repayment")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ManualRecord]:
        """With the names of the scans, never the scans."""
        rows: QuerySet[ManualRecord] = super().get_queryset(request)
        scans = Evidence.objects.defer("content")
        return rows.select_related(*self.list_select_related).prefetch_related(Prefetch("evidence", scans))

    def get_urls(self) -> list[Any]:
        """Django's, with the scans."""
        view = self.admin_site.admin_view(self.download)
        return [path("evidence/<int:pk>", view, name="payments_evidence_download"), *super().get_urls()]

    def describe(self, row: ManualRecord) -> str:
        """What passed, and who wrote it down."""
        return tell(
            "{record}: {state}, by {person}",
            record=_sentence(row),
            state=status_of(row),
            person=row.recorded_by.display_name,
        )

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only to somebody who could give the second name."""
        record = self.get_object(request, object_id)
        if record is None or record.status != ManualState.RECORDED:
            return False
        return staff(request).pk not in (record.recorded_by_id, player_id_of(record))

    def download(self, request: HttpRequest, pk: int) -> FileResponse:
        """A scan, to be saved."""
        if not request.user.has_perm(DOWNLOADS):
            raise PermissionDenied
        scan = get_object_or_404(Evidence, pk=pk)
        audit.record(action="evidence.fetched", subject=scan, by=staff(request))
        return attachment(BytesIO(bytes(scan.content)), name=scan.name, content_type=scan.content_type)

    @admin.display(description="Direction")
    def direction(self, record: ManualRecord) -> str:
        """In or out."""
        if record.correction_id:
            return gettext("Prize sent back, in")
        if record.payment_id:
            return gettext("Payment, in")
        return gettext("Refund, out") if record.refund_id else gettext("Prize, out")

    @admin.display(description="Player")
    def player(self, record: ManualRecord) -> str:
        """By e-mail address."""
        return _player_of(record)

    @admin.display(description="About")
    def about(self, record: ManualRecord) -> SafeString | str:
        """The way to the payment, the refund or the payout."""
        row = record.payment or record.refund or record.payout or record.correction
        return (
            ""
            if row is None
            else linked(reverse(f"admin:payments_{row._meta.model_name}_change", args=[row.pk]), str(row))
        )

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, record: ManualRecord) -> str:
        """In whole units."""
        return shown_amount(record.amount_cents, record.currency)

    @admin.display(description="Evidence")
    def files(self, record: ManualRecord) -> SafeString:
        """The scans, each to be saved."""
        lines = (
            (reverse("admin:payments_evidence_download", args=[scan.pk]), scan.name) for scan in record.evidence.all()
        )
        link = '<a href="{}" class="text-primary-600 dark:text-primary-500" download>{}</a>'
        return format_html_join(", ", link, lines)

    @confirmed("Confirm", permission=CONFIRMS, preview=what_confirming_does, done="confirmed", fresh=True)
    def confirm(self, request: HttpRequest, row: ManualRecord, reason: str) -> None:
        """Give the second name."""
        confirm_record(record_id=row.pk, by=staff(request))

    @confirmed(
        "Turn down", permission=CONFIRMS, preview=what_rejecting_does, reason=Reason.REQUIRED, done="turned down"
    )
    def turn_down(self, request: HttpRequest, row: ManualRecord, reason: str) -> None:
        """It does not count."""
        reject_record(record_id=row.pk, by=staff(request), reason=reason)

    @list_button("Payment", icon="add", path="record-payment", permission=RECORDS)
    def record_payment(self, request: HttpRequest) -> HttpResponse:
        """A fee that came."""
        return self._form(request, PaymentForm)

    @list_button("Refund", icon="add", path="record-refund", permission=RECORDS)
    def record_refund(self, request: HttpRequest) -> HttpResponse:
        """A refund that left."""
        return self._form(request, RefundForm)

    @list_button("Prize", icon="add", path="record-payout", permission=RECORDS)
    def record_payout(self, request: HttpRequest) -> HttpResponse:
        """A prize that left."""
        return self._form(request, PayoutForm)

    @list_button("Prize sent back", icon="add", path="record-repayment", permission=RECORDS)
    def record_repayment(self, request: HttpRequest) -> HttpResponse:
        """What was paid too much came back."""
        return self._form(request, RepaymentForm)

    def _form(self, request: HttpRequest, kind: type[HandoverForm]) -> HttpResponse:
        if not request.user.has_perm(RECORDS):
            raise PermissionDenied
        return handover_page(self, request, kind)


def _player_of(record: ManualRecord) -> str:
    if record.payment is not None:
        return record.payment.request.user.email
    if record.refund is not None:
        return record.refund.receipt.payment.request.user.email
    about = record.payout or record.correction
    return "" if about is None else about.player.email


def _sentence(record: ManualRecord) -> str:
    facts = {
        "amount": Money(record.amount_cents, record.currency),
        "method": within(record.get_method_display().lower()),
        "reference": record.reference,
        "player": _player_of(record),
    }
    if record.payment_id or record.correction_id:
        return tell("{amount} by {method} {reference} from {player}", **facts)
    return tell("{amount} by {method} {reference} to {player}", **facts)


RequestAdmin.links = (
    *RequestAdmin.links,
    to_handover(gettext_noop("Record a payment by hand"), "record_payment", "request"),
)
