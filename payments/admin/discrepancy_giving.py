"""Giving a row of the queue to a colleague: the page, and its form."""

from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from accounts.admin.staff import staff
from accounts.models import User
from accounts.queries import who_may
from config.errors import DomainError
from payments.models import Discrepancy
from payments.services.discrepancies import PERMISSION, REASON_LENGTH, give


class GiveForm(forms.Form):
    """A colleague, and a word for them."""

    owner = forms.ModelChoiceField(User.objects.none(), label=_("Colleague"), widget=UnfoldAdminSelectWidget)
    reason = forms.CharField(
        max_length=REASON_LENGTH,
        required=False,
        label="A word (optional)",
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, *args: Any, row: Discrepancy, **options: Any) -> None:
        super().__init__(*args, **options)
        self.row = row
        people = who_may(PERMISSION).order_by("display_name", "email")
        self.fields["owner"] = forms.ModelChoiceField(
            people, label=gettext("Colleague"), widget=UnfoldAdminSelectWidget, initial=row.owner_id
        )

    def give(self, by: User) -> Discrepancy:
        """Hand it over."""
        given = self.cleaned_data
        return give(discrepancy_id=self.row.pk, to=given["owner"], by=by, reason=given["reason"])


def give_page(page: Any, request: HttpRequest, row_id: int) -> HttpResponse:
    """The form; the row's page afterwards."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    row = get_object_or_404(Discrepancy, pk=row_id)
    form = GiveForm(request.POST or None, row=row)
    if request.method == "POST" and form.is_valid():
        try:
            row = form.give(staff(request))
        except DomainError as refusal:
            form.add_error(None, refusal.sentence)
        else:
            page.message_user(request, f"{row.owner} looks after it now.", messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:payments_discrepancy_change", args=[row.pk]))
    context = {
        **page.admin_site.each_context(request),
        "title": gettext("Give to a colleague"),
        "opts": page.opts,
        "form": form,
        "facts": [page.describe(row)],
    }
    return TemplateResponse(request, "payments/give_form.html", context)
