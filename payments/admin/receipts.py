"""Money that arrived, and the lists of what waits for a person: what is unapplied, and what was paid for nothing."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import (
    AutocompleteSelectFilter,
    ChoicesDropdownFilter,
)

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, RowLink, WithRowActions
from config.confirmations import confirmed
from config.names import named
from config.phrases import shown_amount, tell
from config.words import spoken, within
from entries.models import RequestKind
from entries.queries.buy_backs import needless_returns
from payments.admin.movements import MovementInline
from payments.admin.ways import disputes_of, journal_of, refunds_of, sources_of_receipt, way
from payments.models import Movement, MovementKind, Receipt, ReceiptChange, ReceiptState
from payments.services.charge_state import apply_charge_state
from payments.services.provider_state import Source
from payments.services.refunds.checks import left_of


def what_asking_does(rows: QuerySet[Receipt]) -> list[str]:
    """The preview of `ask_again`."""
    return [
        tell("The provider is asked what became of {total}: its fee, refunds and disputes.", total=rows.count()),
        gettext("What is new is booked, with what that means for the entry. What agrees already stays as it is."),
    ]


class LookAt(admin.SimpleListFilter):
    """What a person has to decide about."""

    title = gettext_noop("waits for a person")
    parameter_name = "look_at"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """The three lists."""
        return (
            ("unapplied", gettext("Unapplied")),
            ("returning", gettext("On its way back, or failed on the way")),
            ("not_needed", gettext("Buy-back no longer needed")),
        )

    def queryset(self, request: HttpRequest, queryset: QuerySet[Receipt]) -> QuerySet[Receipt]:
        """A correction may have undone the fall that was bought back: then the fee may go back."""
        if self.value() == "unapplied":
            return queryset.filter(status=ReceiptState.UNAPPLIED)
        if self.value() == "returning":
            return queryset.filter(status=ReceiptState.RETURNING)
        if self.value() == "not_needed":
            return queryset.filter(status=ReceiptState.ALLOCATED, payment__request__in=needless_returns())
        return queryset


@admin.register(Receipt)
class ReceiptAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One row for each charge that succeeded."""

    handbook = "finance/payments#receipts"
    change_model = ReceiptChange
    list_display = (
        "id", "player", "pool", "kind", "amount", "status", "because", "needed", "entry_number", "received_at",
    )  # fmt: skip
    list_select_related = ("payment__request__pool", "payment__request__user", "entry")
    list_filter: ClassVar = (
        LookAt,
        ("status", ChoicesDropdownFilter),
        ("payment__request__kind", ChoicesDropdownFilter),
        "unapplied_because",
        ("payment__request__pool", AutocompleteSelectFilter),
        "source",
        "livemode",
        "received_at",
    )
    search_fields = ("charge_id__exact", "payment__request__user__email", "payment__provider_reference__exact")
    search_help_text = "Charge or session at the provider, e-mail address of the player"
    ordering = ("-id",)
    fields = (
        "payment", "player", "pool", "kind", "amount", "fee", "net", "status", "because", "needed", "entry_number",
        "refunds", "disputes", "booked", "provider", "charge_id", "livemode", "source", "received_at", "created_at",
        "checked_at", "history",
    )  # fmt: skip
    readonly_fields = (
        "player", "pool", "kind", "amount", "fee", "net", "because", "needed", "entry_number", "refunds", "disputes",
        "booked", "history",
    )  # fmt: skip
    inlines = (MovementInline,)
    actions = ("ask_again",)
    links = (
        RowLink(
            gettext_noop("Give money back"),
            "payments.request_refund",
            lambda row: reverse("admin:payments_refund_request", args=[row]),
        ),
    )

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """The list, with what is no longer needed asked for all shown returns at once."""
        changelist = super().get_changelist_instance(request)
        returns = [row.payment.request_id for row in changelist.result_list if self._is_return(row)]
        needless = needless_returns(returns) if returns else set()
        for row in changelist.result_list:
            row.is_needless = row.payment.request_id in needless
        return changelist

    @admin.display(description="Player", ordering="payment__request__user__email")
    def player(self, receipt: Receipt) -> str:
        """By e-mail address."""
        return receipt.payment.request.user.email

    @admin.display(description="Pool", ordering="payment__request__pool__name")
    def pool(self, receipt: Receipt) -> str:
        """The pool's name."""
        return receipt.payment.request.pool.name

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, receipt: Receipt) -> str:
        """In whole units."""
        return shown_amount(receipt.amount_cents, receipt.currency)

    @admin.display(description="Fee")
    def fee(self, receipt: Receipt) -> str:
        """What the provider kept, in the currency it settled in."""
        movement = _charge_movement(receipt)
        return gettext("not known yet") if movement is None else shown_amount(movement.fee_cents, movement.currency)

    @admin.display(description="Net")
    def net(self, receipt: Receipt) -> str:
        """What the charge was worth to us."""
        movement = _charge_movement(receipt)
        return gettext("not known yet") if movement is None else shown_amount(movement.net_cents, movement.currency)

    @admin.display(description="For", ordering="payment__request__kind")
    def kind(self, receipt: Receipt) -> str:
        """A place, or the way back in."""
        return named(RequestKind(receipt.payment.request.kind).label)

    @admin.display(description="Needed")
    def needed(self, receipt: Any) -> str:
        """Says so where a correction undid the fall that was bought back, and the fee is still here."""
        if not self._is_return(receipt):
            return ""
        # On the page of one receipt nobody has asked yet.
        if not hasattr(receipt, "is_needless"):
            receipt.is_needless = bool(needless_returns([receipt.payment.request_id]))
        return gettext("no longer needed") if receipt.is_needless else gettext("yes")

    def _is_return(self, receipt: Receipt) -> bool:
        is_buy_back = receipt.payment.request.kind == RequestKind.BUY_BACK
        return is_buy_back and receipt.status == ReceiptState.ALLOCATED

    @admin.display(description="Because", ordering="unapplied_because")
    def because(self, receipt: Receipt) -> str:
        """Why it bought no place, in words."""
        return within(spoken(receipt.unapplied_because))

    @admin.display(description="Entry", ordering="entry")
    def entry_number(self, receipt: Receipt) -> SafeString | str:
        """The entry it paid for, or brought back."""
        return way("entry", receipt.entry_id, str(receipt.entry_id)) if receipt.entry_id else ""

    @admin.display(description="Refunds")
    def refunds(self, receipt: Receipt) -> SafeString:
        """What was given back of it, or is to be."""
        return refunds_of(receipt)

    @admin.display(description="Disputes")
    def disputes(self, receipt: Receipt) -> SafeString:
        """What banks say about it."""
        return disputes_of(receipt)

    @admin.display(description="Booked")
    def booked(self, receipt: Receipt) -> SafeString:
        """Everything in the journal that is about this money."""
        return journal_of(sources_of_receipt(receipt))

    def leads(self, request: HttpRequest, link: RowLink, object_id: str) -> bool:
        """To the form for a refund only where something is left to give back."""
        receipt: Receipt | None = self.get_object(request, object_id)
        return receipt is not None and left_of(receipt) > 0

    @confirmed(
        "Ask the provider again", permission="payments.ask_provider", preview=what_asking_does, done="asked about"
    )
    def ask_again(self, request: HttpRequest, row: Receipt, reason: str) -> None:
        """Learn what became of each charge, and act on it."""
        apply_charge_state(receipt_id=row.pk, source=Source.ADMIN, by=staff(request))


def _charge_movement(receipt: Receipt) -> Movement | None:
    return receipt.movements.filter(kind=MovementKind.CHARGE).first()
