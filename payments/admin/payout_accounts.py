"""Where winners are paid at a provider: written down by one, confirmed by another."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import User
from config.admin import WithRowActions
from config.confirmations import Reason, confirmed
from config.fresh_pages import fresh_page
from config.phrases import tell_of
from config.words import status_of
from payments.models import PayoutAccount, PayoutAccountChange, PayoutAccountState, Provider
from payments.providers import provider_names
from payments.services.winners.accounts import confirm_account, record_account, reject_account, retire_account
from pools.admin.made_by_service import MadeByService

RECORDS, CONFIRMS = "payments.record_payout_account", "payments.confirm_payout_account"

if TYPE_CHECKING:
    Base = forms.ModelForm[PayoutAccount]
else:
    Base = forms.ModelForm


class AccountForm(Base):
    """Whose, where, and how it was made sure."""

    class Meta:
        model = PayoutAccount
        fields = ("player", "provider", "reference", "note")

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        names = [(name, name) for name in provider_names() if name != Provider.MANUAL]
        self.fields["provider"] = forms.ChoiceField(choices=names, widget=UnfoldAdminSelectWidget)

    def _post_clean(self) -> None:
        """Not the model's: the service makes the row, and the database has the last word."""


def what_confirming_does(rows: QuerySet[PayoutAccount]) -> list[str]:
    """The preview of `confirm`."""
    waiting = rows.filter(status=PayoutAccountState.RECORDED).count()
    return [
        tell_of(
            waiting,
            "{count} of {total} waits; the others are refused, and so is what you wrote down yourself.",
            "{count} of {total} wait; the others are refused, and so is what you wrote down yourself.",
            total=rows.count(),
        ),
        gettext(
            "Prizes are sent there from now on: you say that the account is the player's. Their old one is retired."
        ),
    ]


def what_stopping_does(rows: QuerySet[PayoutAccount]) -> list[str]:
    """The preview of `reject` and `retire`."""
    return [
        tell_of(
            rows.count(),
            "Nothing is sent to this account. It stays in the list, with your reason.",
            "Nothing is sent to these {count} accounts. They stay in the list, with your reason.",
        )
    ]


@admin.register(PayoutAccount)
class PayoutAccountAdmin(WithHistory, WithRowActions, MadeByService):
    """Another account is another row."""

    handbook = "finance/payouts#where-the-money-goes"
    add_form = AccountForm
    change_model = PayoutAccountChange
    list_display = (
        "id", "player", "provider", "reference", "status", "recorded_by", "recorded_at", "decided_by", "decided_at",
    )  # fmt: skip
    list_select_related = ("player", "recorded_by", "decided_by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), "provider", ("player", AutocompleteSelectFilter))
    search_fields = ("player__email", "player__display_name", "reference")
    search_help_text = "The player's e-mail address or name, or the provider's name of the account"
    ordering = ("-id",)
    autocomplete_fields = ("player",)
    fields = (
        "player", "provider", "reference", "note", "status", "recorded_by", "recorded_at", "decided_by", "decided_at",
        "reason", "history",
    )  # fmt: skip
    readonly_fields = ("history",)
    add_fieldsets: ClassVar = (
        (
            None,
            {
                "fields": ("player", "provider", "reference", "note"),
                "description": _(
                    "Whoever changes where a prize goes can steal it: somebody else confirms the account."
                ),
            },
        ),
    )
    actions = ("confirm", "reject", "retire")

    def describe(self, row: PayoutAccount) -> str:
        """Whose, and where."""
        return f"{row.player} at {row}: {status_of(row)}, by {row.recorded_by}"

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        """Who may write one down."""
        return super().has_add_permission(request, *args) and request.user.has_perm(RECORDS)

    @fresh_page
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's."""
        page: HttpResponse = super().add_view(request, form_url, extra_context)
        return page

    def make(self, form: Any, by: User) -> PayoutAccount:
        """Written down."""
        given = form.cleaned_data
        return record_account(
            player=given["player"], provider=given["provider"], reference=given["reference"], note=given["note"], by=by
        )

    def offers(self, request: HttpRequest, name: str, object_id: str) -> bool:
        """Only what can be done with it as it is."""
        row = self.get_object(request, object_id)
        if row is None:
            return False
        if name == "retire":
            return bool(row.status == PayoutAccountState.CONFIRMED)
        if row.status != PayoutAccountState.RECORDED:
            return False
        return name == "reject" or staff(request).pk not in (row.recorded_by_id, row.player_id)

    @confirmed("Confirm", permission=CONFIRMS, preview=what_confirming_does, done="confirmed", fresh=True)
    def confirm(self, request: HttpRequest, row: PayoutAccount, reason: str) -> None:
        """The second name."""
        confirm_account(account_id=row.pk, by=staff(request))

    @confirmed("Turn down", permission=RECORDS, preview=what_stopping_does, reason=Reason.REQUIRED, done="turned down")
    def reject(self, request: HttpRequest, row: PayoutAccount, reason: str) -> None:
        """Not theirs, or typed wrongly."""
        reject_account(account_id=row.pk, by=staff(request), reason=reason)

    @confirmed("Retire", permission=RECORDS, preview=what_stopping_does, reason=Reason.REQUIRED, done="retired")
    def retire(self, request: HttpRequest, row: PayoutAccount, reason: str) -> None:
        """No more is sent there."""
        retire_account(account_id=row.pk, by=staff(request), reason=reason)
