"""The accounts of the ledger in the back office, each with what it stands at and its statement."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from unfold.contrib.filters.admin import AutocompleteSelectFilter, ChoicesDropdownFilter

from config.admin import ReadOnlyAdmin, RowLink, WithRowActions
from config.names import named
from config.phrases import shown_amount
from config.row_numbers import row_number
from payments.admin.statement import statement_page
from payments.ledger.accounts import Kind
from payments.ledger.balances import Standing, sums_of
from payments.ledger.models import Account

SEES_LINES = "payments.view_journalentry"


def name_of(account: Account) -> str:
    """`Prize pot of The Long Season (USD)`."""
    of = account.pool or account.player or account.provider
    money = f"{account.currency_id.upper()}{'' if account.livemode else _(', test')}"
    facts = {"kind": named(Kind(account.kind).label), "of": of, "money": money}
    return (_("%(kind)s of %(of)s (%(money)s)") if of else _("%(kind)s (%(money)s)")) % facts


@admin.register(Account)
class AccountAdmin(WithRowActions, ReadOnlyAdmin):
    """One account, with what it stands at, and its last lines."""

    handbook = "finance/books#the-ledger"
    list_display = ("id", "kind", "pool", "player", "provider", "currency", "livemode", "balance", "lines")
    list_display_links = ("id", "kind")
    list_select_related = ("pool", "player", "currency")
    list_filter: ClassVar = (
        ("kind", ChoicesDropdownFilter),
        ("pool", AutocompleteSelectFilter),
        "currency",
        "livemode",
        "provider",
    )
    search_fields = ("player__email", "pool__name")
    search_help_text = "Name of the pool, e-mail address of the player"
    ordering = ("id",)
    fields = ("kind", "pool", "player", "provider", "currency", "livemode", "balance", "lines")
    readonly_fields = ("balance", "lines")
    change_form_outer_after_template = "payments/statement.html"
    links = (
        RowLink(
            "Statement",
            SEES_LINES,
            lambda pk: f"{reverse('admin:payments_account_change', args=[pk])}#statement",
        ),
    )

    class Media:
        css: ClassVar = {"all": ("payments/finance.css",)}

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """With the balances of the whole page, asked for at once."""
        changelist = super().get_changelist_instance(request)
        _with_standing(list(changelist.result_list))
        return changelist

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Account | None:
        """With its balance."""
        account: Account | None = super().get_object(request, object_id, from_field)
        _with_standing([] if account is None else [account])
        return account

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """With a page of its statement, for who may see the journal."""
        number = row_number(object_id) if request.user.has_perm(SEES_LINES) else None
        account = Account.objects.filter(pk=number).first() if number else None
        statement = None if account is None else statement_page(request, account)
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), "statement": statement})

    @admin.display(description="Balance")
    def balance(self, account: Any) -> str:
        """As people read it."""
        return shown_amount(account.standing.balance * account.normal_side, account.currency_id)

    @admin.display(description="Lines")
    def lines(self, account: Any) -> int:
        """How many were ever posted."""
        return int(account.standing.credits + account.standing.debits)


def _with_standing(accounts: list[Any]) -> None:
    found = sums_of([account.pk for account in accounts])
    for account in accounts:
        account.standing = found.get(account.pk, Standing())
