"""The list's actions as buttons on the page of one row: the same confirm page, the same service."""

from typing import TYPE_CHECKING, Any

from django.http import HttpRequest, HttpResponse

if TYPE_CHECKING:
    from config.admin import HouseAdmin as Base
else:
    Base = object


class WithRowActions(Base):
    """Shows a button for each action that this person may take; each posts the row to the list's action."""

    change_form_outer_before_template = "admin/row_actions.html"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's, with `row_actions` for the template."""
        buttons = [{"name": name, "label": label} for name, (_, _, label) in self.get_actions(request).items()]
        page: HttpResponse = super().changeform_view(
            request, object_id, form_url, {**(extra_context or {}), "row_actions": buttons}
        )
        return page
