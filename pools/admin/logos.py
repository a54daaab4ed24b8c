"""The picture of a pool, set on a page of its own."""

from typing import Any, ClassVar

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.translation import gettext, gettext_lazy
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldBooleanWidget

from accounts.admin.staff import staff
from config.admin import RowLink, WithRowActions
from config.clock import database_now
from config.errors import DomainError
from config.handbook import helped_by
from config.phrases import tell
from pools.models import Pool
from pools.services.logos import LARGEST, remove_logo, set_logo

MAY_RUN = "pools.change_pool"


class LogoForm(forms.Form):
    """Another picture, or none."""

    file = forms.FileField(
        required=False,
        allow_empty_file=True,
        widget=UnfoldAdminFileFieldWidget,
        help_text=gettext_lazy(
            "A JPEG, PNG or WebP picture of 2 MB at most. It is made anew, at most 512 pixels on a side."
        ),
    )
    none = forms.BooleanField(required=False, label=gettext_lazy("Show none"), widget=UnfoldBooleanWidget)

    def clean(self) -> dict[str, Any]:
        """One of the two."""
        values = super().clean() or {}
        if bool(values.get("file")) == bool(values.get("none")):
            raise forms.ValidationError(gettext("Choose a picture, or none."))
        return values


class WithLogo(WithRowActions):
    """Adds the page to that of a pool."""

    links: ClassVar[tuple[RowLink, ...]] = (
        RowLink("Picture", MAY_RUN, lambda pk: reverse("admin:pools_pool_logo", args=[pk])),
    )

    def get_urls(self) -> list[Any]:
        """Django's, and the page."""
        view = self.admin_site.admin_view(self.logo)
        return [path("<int:pk>/picture", view, name="pools_pool_logo"), *super().get_urls()]

    @helped_by("staff/pools#the-picture")
    def logo(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take a picture in; what is refused is told beside it."""
        if not request.user.has_perm(MAY_RUN):
            raise PermissionDenied
        pool = get_object_or_404(Pool, pk=pk)
        form = LogoForm(request.POST, request.FILES) if request.method == "POST" else LogoForm()
        if form.is_valid():
            try:
                self._set(request, pool, form)
                return HttpResponseRedirect(reverse("admin:pools_pool_change", args=[pk]))
            except DomainError as refusal:
                form.add_error("file", refusal.sentence)
        page = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": tell("Picture of {pool}", pool=pool),
            "facts": [gettext("It has one.") if pool.logo_key else gettext("It has none.")],
            "form": form,
        }
        return TemplateResponse(request, "admin/plain_form.html", page)

    def _set(self, request: HttpRequest, pool: Pool, form: LogoForm) -> None:
        file = form.cleaned_data["file"]
        if file:
            set_logo(pool=pool, by=staff(request), content=file.read(LARGEST + 1), now=database_now())
        else:
            remove_logo(pool=pool, by=staff(request))
