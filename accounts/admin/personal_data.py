"""Dates of birth, legal names, tax numbers: on a page of their own, behind a reason, and every look is written down."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminTextInputWidget

from accounts.admin.staff import staff
from accounts.models import User
from accounts.services.identity import look_at_personal_data
from config.admin import RowLink, WithRowActions
from config.fresh_pages import fresh_page
from config.handbook import helped_by
from config.phrases import tell

MAY_SEE = "accounts.view_personal_details"


class LookForm(forms.Form):
    """Why somebody has to see it."""

    reason = forms.CharField(
        max_length=500,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Kept in the audit with your name, before anything is shown."),
    )


class WithPersonalData(WithRowActions):
    """Adds the page to that of a person."""

    links = (
        RowLink(
            gettext_noop("Personal data"), MAY_SEE, lambda pk: reverse("admin:accounts_user_personal_data", args=[pk])
        ),
    )

    def get_urls(self) -> list[Any]:
        """Django's, and the page of what few may see."""
        view = never_cache(self.admin_site.admin_view(self.personal_data))
        return [path("<int:pk>/personal-data", view, name="accounts_user_personal_data"), *super().get_urls()]

    @fresh_page
    @helped_by("staff/people#personal-data")
    def personal_data(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why; then write the look down, and show what is on file."""
        if not request.user.has_perm(MAY_SEE):
            raise PermissionDenied
        person = get_object_or_404(User, pk=pk)
        form = LookForm(request.POST or None)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": tell("Personal data of {person}", person=person),
            "person": person,
            "form": form,
        }
        if not form.is_valid():
            return TemplateResponse(request, "accounts/personal_data_asked.html", page)
        reason = form.cleaned_data["reason"]
        page["found"] = look_at_personal_data(user=person, by=staff(request), reason=reason)
        return TemplateResponse(request, "accounts/personal_data.html", page)
