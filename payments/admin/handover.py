"""The form on which staff write down that money passed by hand: a fee that came, a refund or a prize that left."""

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext, gettext_noop
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from accounts.admin.staff import staff
from accounts.models import User
from config import phrases
from config.clock import database_now
from config.errors import DomainError
from config.fresh_pages import fresh_page
from config.money import to_decimal
from config.money_forms import minor_units
from config.names import named_choices
from config.phrases import Money, in_language
from config.row_numbers import row_number
from config.words import status_of
from entries.models import PaymentStatus, Request
from payments.models import Currency, ManualMethod, ManualRecord
from payments.models.manual import LARGEST_SCAN
from payments.services.manual.evidence import MOST_FILES, Scan
from payments.services.manual.incoming import record_payment
from payments.services.manual.outgoing import hand_back
from payments.services.manual.records import LONGEST_NOTE, LONGEST_REFERENCE, Handover
from payments.services.payouts import hand_over
from pools.admin.switch_fields import tell

if TYPE_CHECKING:
    from config.admin import HouseAdmin

LARGEST_ID = 2**63 - 1


class _Files(UnfoldAdminFileFieldWidget):  # type: ignore[misc]  # unfold ships no types
    """Several at once. Unfold's script shows a chosen file's name in the text input before it: it has its own."""

    allow_multiple_selected = True


class _Scans(forms.FileField):
    """Each file on its own; what they are, the service looks at."""

    widget = _Files

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        """As many as were chosen."""
        files = data if isinstance(data, list | tuple) else [data] if data else []
        one = super().clean
        return [one(file, initial) for file in files]


class HandoverForm(forms.Form):
    """How money passed, and what shows it."""

    title: ClassVar[str]
    explained: ClassVar[str]
    subject: ClassVar[str]

    method = forms.ChoiceField(choices=named_choices(ManualMethod.choices), widget=UnfoldAdminSelectWidget)
    reference = forms.CharField(
        max_length=LONGEST_REFERENCE,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Number of the receipt, the cheque, or the bank's own. No two records have the same."),
    )
    passed_at = forms.DateTimeField(
        label=_("Changed hands at (UTC)"),
        widget=UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"}),
    )
    note = forms.CharField(max_length=LONGEST_NOTE, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))
    evidence = _Scans(
        required=False,
        help_text=f"PDF, PNG or JPEG; at most {MOST_FILES} files of {LARGEST_SCAN // 1024**2} MB. Cash needs none.",
    )

    def __init__(self, *args: Any, row_id: int | None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row_id = row_id
        self.initial.setdefault("passed_at", database_now().strftime("%Y-%m-%dT%H:%M"))
        # What it is about, and why, is asked first; then how it passed.
        self.order_fields([self.subject, "amount", "currency", "taken_from", "reason"])

    def handover(self) -> Handover:
        """What was filled in, as the services take it."""
        given = self.cleaned_data
        return Handover(
            method=given["method"],
            reference=given["reference"],
            passed_at=given["passed_at"],
            note=given["note"],
            evidence=tuple(Scan(file.name or "", file.read(LARGEST_SCAN + 1)) for file in given["evidence"]),
        )

    def facts(self) -> list[str]:
        """What is known about the row that the address names."""
        return []

    @abstractmethod
    def write(self, by: User) -> ManualRecord:
        """Hand it to the service."""


def _number(label: str) -> forms.IntegerField:
    return forms.IntegerField(label=label, min_value=1, max_value=LARGEST_ID, widget=UnfoldAdminTextInputWidget)


def amount_field() -> forms.DecimalField:
    """What passed, in whole units of whichever currency: a prize has up to sixteen digits in one without parts."""
    return forms.DecimalField(
        min_value=0,
        max_digits=19,
        decimal_places=3,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext("What really came."),
    )


class PaymentForm(HandoverForm):
    """A fee that came."""

    title = "Record a payment"
    explained = gettext_noop("Money in hand for a request. An open payment page is closed; nothing else changes yet.")
    subject = "request"

    request = _number(gettext_noop("Number of the request"))
    amount = amount_field()
    currency = forms.ChoiceField(widget=UnfoldAdminSelectWidget)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        codes = Currency.objects.order_by("code").values_list("code", flat=True)
        self.fields["currency"] = forms.ChoiceField(
            choices=[("", gettext("Choose")), *((code, code.upper()) for code in codes)], widget=UnfoldAdminSelectWidget
        )
        self.asked = Request.objects.select_related("user", "pool").filter(pk=self.row_id or 0).first()
        if self.asked is not None:
            self.initial.setdefault("currency", self.asked.currency or self.asked.pool.currency)
            if self.asked.fee_cents:
                self.initial.setdefault("amount", to_decimal(self.asked.fee_cents, self.asked.currency))

    def clean(self) -> dict[str, Any]:
        """No more decimals than the currency has."""
        given: dict[str, Any] = super().clean() or {}
        if given.get("currency"):
            given["amount_cents"] = minor_units(self, given["currency"])
        return given

    def facts(self) -> list[str]:
        """Whose request, what it owes, and what would become of the money as things stand."""
        if self.asked is None:
            return []
        user, pool = self.asked.user, self.asked.pool
        said = [
            phrases.tell(
                "{person}, {pool}, place {number}: {state}.",
                person=f"{user.display_name} <{user.email}>",
                pool=pool.name,
                number=self.asked.number,
                state=status_of(self.asked),
            )
        ]
        if self.asked.fee_cents is not None:
            said.append(phrases.tell("Asked for: {amount}.", amount=Money(self.asked.fee_cents, self.asked.currency)))
        if self.asked.payment_status == PaymentStatus.COMPLETED:
            said.append(gettext("It is paid, or waived, already: this money would be held as a second payment."))
        return said

    def write(self, by: User) -> ManualRecord:
        """As a payment of provider `manual`."""
        given = self.cleaned_data
        return record_payment(
            request_id=given["request"],
            handover=self.handover(),
            amount_cents=given["amount_cents"],
            currency=given["currency"],
            by=by,
            now=database_now(),
        )


class RefundForm(HandoverForm):
    """A refund that left."""

    title = gettext_noop("Record a refund handed over")
    explained = gettext_noop(
        "For a refund by hand that waits for somebody to hand it over, with the amount that was decided."
    )
    subject = "refund"

    refund = _number(gettext_noop("Number of the refund"))

    def write(self, by: User) -> ManualRecord:
        """Beside the refund."""
        return hand_back(refund_id=self.cleaned_data["refund"], handover=self.handover(), by=by)


class PayoutForm(HandoverForm):
    """A prize that left."""

    title = gettext_noop("Record a prize handed over")
    explained = gettext_noop("For an approved payout, with its amount less the tax that is withheld.")
    subject = "payout"

    payout = _number(gettext_noop("Number of the payout"))

    def write(self, by: User) -> ManualRecord:
        """Beside the payout."""
        return hand_over(payout_id=self.cleaned_data["payout"], handover=self.handover(), by=by)


@fresh_page
def handover_page(page: "HouseAdmin", request: HttpRequest, kind: type[HandoverForm]) -> HttpResponse:
    """The form; the page of the record once it is written. Who may see it is checked by the caller."""
    row_id = _typed_id(request.POST.get(kind.subject)) or _row_id(request.GET.get(kind.subject))
    form = kind(
        request.POST or None, request.FILES or None, row_id=row_id, initial={kind.subject: row_id} if row_id else {}
    )
    if request.method == "POST" and form.is_valid():
        try:
            record = form.write(staff(request))
        except DomainError as refusal:
            tell(form, refusal)
        else:
            page.message_user(request, gettext("Written down. Somebody else has to confirm it."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:payments_manualrecord_change", args=[record.pk]))
    context = {
        **page.admin_site.each_context(request),
        "title": in_language(kind.title),
        "opts": page.opts,
        "form": form,
        "facts": form.facts(),
    }
    return TemplateResponse(request, "payments/handover_form.html", context)


def _row_id(text: str | None) -> int | None:
    """What the address names: nothing, or a number."""
    found = _typed_id(text)
    if text is not None and found is None:
        raise Http404
    return found


def _typed_id(text: str | None) -> int | None:
    """What was typed, where it is a number; if it is none, the field says so."""
    return row_number(text) or None
