"""Exclusions and limits of players: to look at, and for staff to exclude somebody. Nothing here takes anything back."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.db.models import BooleanField, ExpressionWrapper, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminIntegerFieldWidget, UnfoldAdminTextareaWidget

from accounts.admin.staff import staff
from accounts.models import LONGEST, Exclusion, SpendingLimit
from accounts.services.exclusions import REASON_LENGTH, exclude_player
from config.admin import HouseAdmin, ReadOnlyAdmin
from config.clock import ClockTimestamp
from config.fresh_pages import fresh_page
from config.phrases import shown_amount

if TYPE_CHECKING:
    _Form = forms.ModelForm[Exclusion]
else:
    _Form = forms.ModelForm


class StaffExclusionForm(_Form):
    """Whom, how long, why."""

    days = forms.IntegerField(
        min_value=1,
        max_value=LONGEST,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text=gettext_lazy("Empty: for good. Nobody can take it back."),
    )
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=gettext_lazy("The player reads it."),
    )

    class Meta:
        model = Exclusion
        fields = ("user", "days", "reason")


@admin.register(Exclusion)
class ExclusionAdmin(HouseAdmin):
    """Whoever is kept out, was, or is to be."""

    handbook = "staff/people#exclusions"
    may_add = True
    form = StaffExclusionForm
    list_display = ("user", "kind", "begins_at", "until", "is_in_force", "by")
    list_select_related = ("user", "by")
    list_filter = ("kind", "begins_at")
    search_fields = ("user__email", "user__display_name")
    search_help_text = "The player's e-mail address or name"
    ordering = ("-id",)
    autocomplete_fields = ("user",)
    fields = ("user", "kind", "days", "begins_at", "until", "reason", "by", "continues")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Of a new one no more than what staff decide."""
        return ("user", "days", "reason") if obj is None else self.fields

    @fresh_page
    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Django's, after a fresh sign-in: it cannot be undone."""
        page: HttpResponse = super().add_view(request, form_url, extra_context)
        return page

    def get_queryset(self, request: HttpRequest) -> QuerySet[Exclusion]:
        """With whether each is in force, by the database's clock."""
        is_in_force = Q(until=None) | Q(until__gt=ClockTimestamp())
        rows: QuerySet[Exclusion] = super().get_queryset(request)
        return rows.annotate(holds=ExpressionWrapper(is_in_force, BooleanField()))

    @admin.display(boolean=True, description="in force")
    def is_in_force(self, row: Exclusion) -> bool:
        """As annotated."""
        return bool(row.holds)  # type: ignore[attr-defined]  # by `get_queryset`

    def save_model(self, request: HttpRequest, obj: Exclusion, form: Any, change: bool) -> None:
        """Through the service."""
        made = exclude_player(user=obj.user, days=obj.days, by=staff(request), reason=obj.reason)
        obj.pk = made.pk


@admin.register(SpendingLimit)
class SpendingLimitAdmin(ReadOnlyAdmin):
    """What players set for themselves, each wish a row."""

    handbook = "staff/people#spending-limits"
    list_display = ("user", "amount", "asked_at", "effective_at")
    list_select_related = ("user",)
    list_filter = ("currency", "asked_at")
    search_fields = ("user__email", "user__display_name")
    search_help_text = "The player's e-mail address or name"
    ordering = ("-id",)
    fields = ("user", "currency", "amount", "asked_at", "effective_at")
    readonly_fields = ("amount",)

    @admin.display(description="A month at most")
    def amount(self, row: SpendingLimit) -> str:
        """Formatted; of no limit a word."""
        return gettext("no limit") if row.amount_cents is None else shown_amount(row.amount_cents, row.currency)
