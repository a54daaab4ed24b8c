"""Reasons to choose from on the workbench, edited by whoever decides about requests."""

from typing import Any, ClassVar

from django.contrib import admin
from django.http import HttpRequest
from unfold.contrib.filters.admin import ChoicesDropdownFilter
from unfold.widgets import UnfoldAdminTextareaWidget

from accounts.admin.staff import staff
from config.admin import HouseAdmin
from config.list_filters import YesNoFilter
from entries.models import ReasonTemplate
from entries.services.reason_templates import save_reason_template


@admin.register(ReasonTemplate)
class ReasonTemplateAdmin(HouseAdmin):
    """What is given no more is not offered; what was given with it stays what it was."""

    handbook = "staff/requests#reason-templates"
    may_add = True
    editable_fields = ("kind", "title", "text", "is_offered")
    list_display = ("title", "kind", "text", "is_offered")
    list_filter: ClassVar = (("kind", ChoicesDropdownFilter), ("is_offered", YesNoFilter))
    search_fields = ("title", "text")
    fields = ("kind", "title", "text", "is_offered")

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        """The text has room."""
        if db_field.name == "text":
            kwargs["widget"] = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        return super().formfield_for_dbfield(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: ReasonTemplate, form: Any, change: bool) -> None:
        """Through the service."""
        save_reason_template(template=obj, by=staff(request))
