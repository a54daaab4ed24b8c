"""Disputes in the back office: what the banks say, until when somebody has to answer, and who bore what was lost."""

from collections.abc import Iterable
from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, WithRowActions
from config.confirmations import confirmed
from config.phrases import shown_amount, tell_of
from config.words import spoken, status_of
from payments.admin.movements import MovementInline
from payments.admin.ways import journal_of, sources_of_dispute, way
from payments.models import Dispute, DisputeChange
from payments.models.dispute import CLOSED_DISPUTES, TO_ANSWER
from payments.services.charge_state import apply_charge_state
from payments.services.provider_state import Source


def what_asking_does(rows: QuerySet[Dispute]) -> list[str]:
    """The preview of `ask_again`."""
    waiting = rows.exclude(status__in=CLOSED_DISPUTES).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} is not decided. The provider is asked what is true of each, and of its charge.",
            "{count} of {total} are not decided. The provider is asked what is true of each, and of its charge.",
            total=rows.count(),
        ),
        gettext(
            "What was won or lost is booked, with what that means for the entry. What agrees already stays as it is."
        ),
    ]


class Waiting(admin.SimpleListFilter):
    """Which somebody has to answer."""

    title = gettext_noop("waits for")
    parameter_name = "waits_for"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Us, or the bank."""
        return (("us", gettext("Our answer")), ("bank", gettext("The bank")))

    def queryset(self, request: HttpRequest, queryset: QuerySet[Dispute]) -> QuerySet[Dispute]:
        """By status."""
        if self.value() == "us":
            return queryset.filter(status__in=TO_ANSWER)
        if self.value() == "bank":
            return queryset.exclude(status__in=(*TO_ANSWER, *CLOSED_DISPUTES))
        return queryset


@admin.register(Dispute)
class DisputeAdmin(WithHistory, WithRowActions, ReadOnlyAdmin):
    """One dispute of one charge; it is answered at the provider."""

    handbook = "finance/refunds#disputes"
    change_model = DisputeChange
    list_display = (
        "id", "player", "pool", "amount", "status", "why", "evidence_due_at", "borne_by", "opened_at", "closed_at",
    )  # fmt: skip
    list_select_related = ("receipt__payment__request__pool", "receipt__payment__request__user")
    list_filter: ClassVar = (
        Waiting,
        ("status", ChoicesDropdownFilter),
        ("borne_by", ChoicesDropdownFilter),
        ("receipt__payment__request__pool", AutocompleteSelectFilter),
        "reason",
        "livemode",
        "evidence_due_at",
    )
    search_fields = (
        "provider_reference__exact", "receipt__charge_id__exact", "receipt__payment__request__user__email",
    )  # fmt: skip
    search_help_text = "Dispute or charge at the provider, e-mail address of the player"
    ordering = ("evidence_due_at", "-id")
    fields = (
        "receipt", "player", "pool", "entry", "amount", "status", "why", "evidence_due_at", "is_charge_refundable",
        "has_suspended", "borne_by", "booked", "provider", "provider_reference", "livemode", "opened_at", "closed_at",
        "created_at", "checked_at", "history",
    )  # fmt: skip
    readonly_fields = ("player", "pool", "entry", "amount", "why", "booked", "history")
    inlines = (MovementInline,)
    actions = ("ask_again",)

    def describe(self, row: Dispute) -> str:
        """Whose money, for what, and where it stands."""
        user = row.receipt.payment.request.user
        return f"{self.amount(row)} of {user.display_name} <{user.email}> for {self.pool(row)}: {status_of(row)}"

    @admin.display(description="Player", ordering="receipt__payment__request__user__email")
    def player(self, dispute: Dispute) -> str:
        """By e-mail address."""
        return dispute.receipt.payment.request.user.email

    @admin.display(description="Pool", ordering="receipt__payment__request__pool__name")
    def pool(self, dispute: Dispute) -> str:
        """The pool's name."""
        return dispute.receipt.payment.request.pool.name

    @admin.display(description="Entry")
    def entry(self, dispute: Dispute) -> SafeString | str:
        """The way to what the money bought."""
        return way("entry", dispute.receipt.entry_id) if dispute.receipt.entry_id else ""

    @admin.display(description="Reason", ordering="reason")
    def why(self, dispute: Dispute) -> str:
        """What the bank says, in words."""
        return spoken(dispute.reason)

    @admin.display(description="Booked")
    def booked(self, dispute: Dispute) -> SafeString:
        """Its entries in the journal."""
        return journal_of(sources_of_dispute(dispute))

    @admin.display(description="Amount", ordering="amount_cents")
    def amount(self, dispute: Dispute) -> str:
        """In whole units."""
        return shown_amount(dispute.amount_cents, dispute.currency)

    @confirmed(
        "Ask the provider again", permission="payments.ask_provider", preview=what_asking_does, done="asked about"
    )
    def ask_again(self, request: HttpRequest, row: Dispute, reason: str) -> None:
        """Learn what became of each, and act on it."""
        apply_charge_state(receipt_id=row.receipt_id, source=Source.ADMIN, by=staff(request))
