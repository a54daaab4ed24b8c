"""Pages whose rows are made on an add page with a form of its own, by a service.

From then on they are read-only, but for `editable_fields`, which a service changes.
"""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import messages
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from accounts.admin.staff import staff
from accounts.models import User
from config.admin import HouseAdmin
from config.errors import DomainError


class MadeByService(HouseAdmin):
    """A subclass names the form and its fieldsets, makes the row in `make`, and changes it in `change`."""

    may_add = True
    add_form: "type[forms.ModelForm[Any]]"
    add_fieldsets: ClassVar[Any]

    # The row of a form that was filled in well, and who made it. May refuse at the last moment.
    make: Callable[[Any, User], Model]

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """The add page's own form; a row that is there has nothing to fill in."""
        kwargs["form"] = self.add_form if obj is None else forms.ModelForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """Those of the add page, or of a row that is there."""
        return self.add_fieldsets if obj is None else super().get_fieldsets(request, obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Everything but what can be edited, once the row is there."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Through the service; the form's row becomes the one that the service made, or changed."""
        if change:
            self.change(obj, form, staff(request))
        else:
            obj.pk = self.make(form, staff(request)).pk
        obj.refresh_from_db()

    def change(self, row: Any, form: Any, by: User) -> None:
        """For pages with `editable_fields`. May refuse at the last moment."""
        raise NotImplementedError

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; what the service refuses at the last moment becomes a message, and the form begins anew."""
        try:
            page: HttpResponse = super().changeform_view(request, object_id, form_url, extra_context)
            return page
        except DomainError as refusal:
            self.message_user(request, refusal.sentence, messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
