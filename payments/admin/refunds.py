"""Refunds in the back office: asked for, approved by another, sent again when they fail, explained if made past us."""

from typing import Any, ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, RowLink, WithRowActions
from config.confirmations import Reason, confirmed
from config.errors import DomainError
from config.fresh_pages import fresh_page
from config.phrases import shown_amount, tell
from config.words import spoken, status_of
from payments.admin.by_provider import ByProvider
from payments.admin.handover import handover_page
from payments.admin.manual import to_handover
from payments.admin.refund_forms import RefundByHandForm, RefundForm, SendByHandForm, facts_of
from payments.admin.refund_previews import (
    what_approving_does,
    what_asking_does,
    what_declining_does,
    what_sending_again_does,
    what_taking_places_does,
    what_the_house_bears,
)
from payments.admin.ways import journal_of, sources_of_refund
from payments.models import (
    ManualRecord,
    ManualState,
    Provider,
    Receipt,
    Refund,
    RefundChange,
    RefundState,
    TakenFrom,
)
from payments.models.refund import UNFINISHED
from payments.services.provider_state import Source
from payments.services.refunds.checks import owed
from payments.services.refunds.deciding import approve_refund, decline_refund, replace_refund
from payments.services.refunds.external import settle_external
from payments.services.refunds.sending import ask_about

REQUEST, APPROVE = "payments.request_refund", "payments.approve_refund"

HANDED_OVER = to_handover(gettext_noop("Record that it was handed over"), "record_refund", "refund")
BY_HAND = RowLink(
    gettext_noop("Hand over what failed"),
    REQUEST,
    lambda row: f"{reverse('admin:payments_refund_by_hand')}?refund={row}",
)
SHORT = {
    TakenFrom.PLACE: gettext_noop("the place"),
    TakenFrom.HOUSE: gettext_noop("the house"),
    TakenFrom.UNAPPLIED: gettext_noop("no place"),
    TakenFrom.REPLACED: gettext_noop("a failed refund"),
    TakenFrom.UNDECIDED: gettext_noop("to be decided"),
}


@admin.register(Refund)
class RefundAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One row for each refund, whoever wanted it."""

    handbook = "finance/refunds#refunds"
    change_model = RefundChange
    list_display = (
        "id", "player", "pool", "amount", "status", "trouble", "out_of", "requested_by", "approved_by", "created_at",
    )  # fmt: skip
    list_select_related = (
        "receipt__payment__request__pool", "receipt__payment__request__user", "requested_by", "approved_by",
    )  # fmt: skip
    list_filter: ClassVar = (
        ("status", ChoicesDropdownFilter),
        ("origin", ChoicesDropdownFilter),
        ("taken_from", ChoicesDropdownFilter),
        ("receipt__payment__request__pool", AutocompleteSelectFilter),
        ByProvider,
        "livemode",
        "created_at",
    )
    search_fields = (
        "provider_reference__exact", "receipt__charge_id__exact", "receipt__payment__request__user__email",
    )  # fmt: skip
    search_help_text = "Refund or charge at the provider, e-mail address of the player"
    ordering = ("-id",)
    fields = (
        "receipt", "player", "pool", "amount", "status", "trouble", "origin", "taken_from", "why", "is_paid",
        "booked", "provider", "provider_reference", "ref", "livemode", "replaces", "needs_approval", "requested_by",
        "approved_by", "created_at", "decided_at", "sent_at", "checked_at", "completed_at", "history",
    )  # fmt: skip
    readonly_fields = ("player", "pool", "amount", "trouble", "why", "booked", "history")
    actions = ("approve", "decline", "send_again", "let_the_house_bear", "take_the_place", "ask_again")
    links = (HANDED_OVER, BY_HAND)

    def get_urls(self) -> list[Any]:
        """Django's, with the pages that ask for a refund."""
        view = self.admin_site.admin_view
        own = [
            path("request/<int:receipt_id>/", view(self.request_page), name="payments_refund_request"),
            path("hand-back/", view(self.hand_back_page), name="payments_refund_hand_back"),
            path("by-hand/", view(self.by_hand_page), name="payments_refund_by_hand"),
        ]
        return [*own, *super().get_urls()]

    def describe(self, row: Refund) -> str:
        """How much, to whom, for what, out of whose pocket, and why."""
        request = row.receipt.payment.request
        said = tell(
            "{amount} to {person} for {pool}, taken from {source}, asked for by {by}, {state}",
            amount=self.amount(row),
            person=f"{request.user.display_name} <{request.user.email}>",
            pool=request.pool.name,
            source=gettext(SHORT[TakenFrom(row.taken_from)]),
            by=row.requested_by or gettext("the system"),
            state=status_of(row),
        )
        return f"{said}: {self.why(row)}" if row.reason else said

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """To the forms for money by hand only where somebody has to hand it over."""
        refund: Refund | None = self.get_object(request, object_id)
        if refund is None:
            return False
        if link is BY_HAND:
            return refund.status == RefundState.FAILED and owed(Refund.objects.filter(pk=refund.pk)).exists()
        waits = refund.status in UNFINISHED and refund.provider == Provider.MANUAL
        return waits and not ManualRecord.objects.filter(refund=refund).exclude(status=ManualState.REJECTED).exists()

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with the refund as it is, and by this person."""
        refund: Refund | None = self.get_object(request, object_id)
        if refund is None:
            return False
        waits = refund.status == RefundState.REQUESTED
        is_asked = refund.taken_from == TakenFrom.UNDECIDED and refund.status != RefundState.FAILED
        offered = {
            "approve": waits and refund.requested_by_id != staff(request).pk,
            "decline": waits,
            "send_again": refund.status == RefundState.FAILED and owed(Refund.objects.filter(pk=refund.pk)).exists(),
            "let_the_house_bear": is_asked,
            "take_the_place": is_asked,
            "ask_again": not waits and refund.status != RefundState.CANCELLED,
        }
        return offered.get(name, True)

    @admin.display(description="Player", ordering="receipt__payment__request__user__email")
    def player(self, refund: Refund) -> str:
        """By e-mail address."""
        return refund.receipt.payment.request.user.email

    @admin.display(description="Pool", ordering="receipt__payment__request__pool__name")
    def pool(self, refund: Refund) -> str:
        """The pool's name."""
        return refund.receipt.payment.request.pool.name

    @admin.display(description="Trouble", ordering="failure")
    def trouble(self, refund: Refund) -> str:
        """What keeps it, or why it failed, in words."""
        return spoken(refund.failure or refund.pending_reason)

    @admin.display(description="Out of", ordering="taken_from")
    def out_of(self, refund: Refund) -> str:
        """Whose money it is, in a word or two; the page says what that means."""
        return gettext(SHORT[TakenFrom(refund.taken_from)])

    @admin.display(description="Reason", ordering="reason")
    def why(self, refund: Refund) -> str:
        """As it was written, or what it was returned for."""
        return spoken(refund.reason)

    @admin.display(description="Booked")
    def booked(self, refund: Refund) -> SafeString:
        """Its entries in the journal."""
        return journal_of(sources_of_refund(refund))

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, refund: Refund) -> str:
        """In whole units."""
        return shown_amount(refund.amount_cents, refund.currency)

    @confirmed("Approve", permission=APPROVE, preview=what_approving_does, done="approved", fresh=True)
    def approve(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """The second name."""
        approve_refund(refund_id=row.pk, by=staff(request))

    @confirmed("Decline", permission=APPROVE, preview=what_declining_does, reason=Reason.REQUIRED, done="declined")
    def decline(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """Turn a wish down."""
        decline_refund(refund_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Send again",
        permission=REQUEST,
        preview=what_sending_again_does,
        reason=Reason.REQUIRED,
        done="sent again",
        fresh=True,
    )
    def send_again(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """The same way as before."""
        replace_refund(refund_id=row.pk, by=staff(request), reason=reason)

    @confirmed(
        "Let the house bear it",
        permission=APPROVE,
        preview=what_the_house_bears,
        reason=Reason.REQUIRED,
        done="borne by the house",
        fresh=True,
    )
    def let_the_house_bear(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """The place stays."""
        settle_external(refund_id=row.pk, by=staff(request), bearer="house", reason=reason)

    @confirmed(
        "Take the place back",
        permission=APPROVE,
        preview=what_taking_places_does,
        reason=Reason.REQUIRED,
        done="taken back",
        fresh=True,
    )
    def take_the_place(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """The fee is given back, so what it bought is."""
        settle_external(refund_id=row.pk, by=staff(request), bearer="place", reason=reason)

    @confirmed(
        "Ask the provider again", permission="payments.ask_provider", preview=what_asking_does, done="asked about"
    )
    def ask_again(self, request: HttpRequest, row: Refund, reason: str) -> None:
        """Learn what became of it."""
        ask_about(refund_id=row.pk, source=Source.ADMIN)

    @fresh_page
    def request_page(self, request: HttpRequest, receipt_id: int) -> HttpResponse:
        """The form for a refund of a receipt; the refund's page once it is asked for."""
        self._refuse_without(request)
        receipts = Receipt.objects.select_related("payment__request__user", "payment__request__pool")
        receipt = get_object_or_404(receipts, pk=receipt_id)
        if receipt.provider == Provider.MANUAL:
            return HttpResponseRedirect(reverse("admin:payments_refund_hand_back") + f"?receipt={receipt.pk}")
        form = RefundForm(request.POST or None, receipt=receipt)
        if request.method == "POST" and form.is_valid():
            try:
                refund = form.ask(staff(request))
            except DomainError as refusal:
                form.add_error(None, refusal.sentence)
            else:
                waits = refund.status == RefundState.REQUESTED
                said = (
                    gettext("Asked for. Somebody else has to approve it.")
                    if waits
                    else gettext("Decided. It is on its way.")
                )
                self.message_user(request, said, messages.SUCCESS)
                return HttpResponseRedirect(reverse("admin:payments_refund_change", args=[refund.pk]))
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Give money back"),
            "opts": self.opts,
            "form": form,
            "facts": facts_of(receipt),
            "back": reverse("admin:payments_receipt_change", args=[receipt.pk]),
        }
        return TemplateResponse(request, "payments/refund_form.html", context)

    def hand_back_page(self, request: HttpRequest) -> HttpResponse:
        """The same for money that came by hand."""
        self._refuse_without(request)
        return handover_page(self, request, RefundByHandForm)

    def by_hand_page(self, request: HttpRequest) -> HttpResponse:
        """Handing over what failed to go back."""
        self._refuse_without(request)
        return handover_page(self, request, SendByHandForm)

    def _refuse_without(self, request: HttpRequest) -> None:
        if not request.user.has_perm(REQUEST):
            raise PermissionDenied
