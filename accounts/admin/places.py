"""Where people may play, and from which age. Empty to begin with: the default holds everywhere."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.history import WithHistory
from accounts.admin.staff import staff
from accounts.models import AgeLimit, AgeLimitChange
from accounts.services.details import clean_country, clean_region
from accounts.services.eligibility import remove_age_limit, set_age_limit
from config.admin import HouseAdmin, ReadOnlyAdmin
from config.confirmations import Reason, confirmed
from config.phrases import tell

if TYPE_CHECKING:
    _Form = forms.ModelForm[AgeLimit]
else:
    _Form = forms.ModelForm


class AgeLimitForm(_Form):
    """What holds at a place, and why."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=gettext_lazy("The law, or who decided; kept with the change."),
    )

    class Meta:
        model = AgeLimit
        fields = ("country", "region", "minimum_age", "is_barred")

    def clean_country(self) -> str:
        """As registration takes it."""
        return clean_country(self.cleaned_data["country"])

    def clean_region(self) -> str:
        """As registration takes it."""
        return clean_region(self.cleaned_data["region"])

    def clean(self) -> dict[str, Any]:
        """A place has one row: the page of that row changes it."""
        values = super().clean() or self.cleaned_data
        known = AgeLimit.objects.filter(country=values.get("country"), region=values.get("region", ""))
        if self.instance._state.adding and known.exists():
            raise ValidationError(gettext("There is a row for this place already."))
        return values


def what_removal_does(rows: QuerySet[AgeLimit]) -> list[str]:
    """The preview of `AgeLimitAdmin.remove`."""
    return [
        gettext("Whoever lives there is judged by their country, or by the default, from now on. Places in pools stay.")
    ]


def _told(values: dict[str, Any]) -> str:
    if not values:
        return ""
    return gettext("barred") if values["is_barred"] else tell("from {age} years", age=values["minimum_age"])


@admin.register(AgeLimit)
class AgeLimitAdmin(WithHistory, HouseAdmin):
    """One row for each country or region that differs from the default."""

    handbook = "staff/people#age-limits"
    may_add = True
    form = AgeLimitForm
    editable_fields = ("minimum_age", "is_barred")
    list_display = ("country", "region", "minimum_age", "is_barred")
    list_display_links = ("country", "region")
    list_filter = ("is_barred",)
    search_fields = ("=country", "=region")
    fields = ("country", "region", "minimum_age", "is_barred", "reason", "history")
    readonly_fields = ("history",)
    actions = ("remove",)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """The reason is asked of whoever changes something; a new row has no history."""
        may_change = obj is None or self.has_change_permission(request, obj)
        left_out = {"history"} if obj is None else set() if may_change else {"reason"}
        return [name for name in self.fields if name not in left_out]

    def changes_of(self, row: AgeLimit) -> QuerySet[AgeLimitChange]:
        """Of this row."""
        return AgeLimitChange.objects.filter(subject_id=row.pk)

    def told(self, change: AgeLimitChange) -> dict[str, Any]:
        """What held before, and after."""
        return {"from": _told(change.from_values), "to": _told(change.to_values) or "removed", "details": {}}

    def save_model(self, request: HttpRequest, obj: AgeLimit, form: Any, change: bool) -> None:
        """Through the service."""
        made = set_age_limit(
            country=obj.country,
            region=obj.region,
            minimum_age=obj.minimum_age,
            is_barred=obj.is_barred,
            by=staff(request),
            reason=form.cleaned_data["reason"],
        )
        obj.pk = made.pk

    @confirmed(
        "Remove",
        permission="accounts.delete_agelimit",
        preview=what_removal_does,
        reason=Reason.REQUIRED,
        done="removed",
    )
    def remove(self, request: HttpRequest, row: AgeLimit, reason: str) -> None:
        remove_age_limit(limit=row, by=staff(request), reason=reason)


@admin.register(AgeLimitChange)
class AgeLimitChangeAdmin(ReadOnlyAdmin):
    """Who said what about which place, and why; also of rows that are gone."""

    handbook = "staff/people#age-limits"
    list_display = ("at", "place", "before", "after", "actor_id", "reason")
    list_filter = ("at",)
    search_fields = ("=actor_id", "reason")
    ordering = ("-id",)

    @admin.display(description="Place")
    def place(self, row: AgeLimitChange) -> str:
        """Country and region."""
        values = row.to_values or row.from_values
        return f"{values['country']}-{values['region']}".rstrip("-")

    @admin.display(description="From")
    def before(self, row: AgeLimitChange) -> str:
        return _told(row.from_values)

    @admin.display(description="To")
    def after(self, row: AgeLimitChange) -> str:
        return _told(row.to_values) or "removed"
