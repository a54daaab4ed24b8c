"""The list of rehearsals, the form for a new one, and the page of each with what came of it."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as said
from django.utils.translation import gettext_lazy as _
from django.utils.translation import gettext_noop
from unfold.contrib.filters.admin import ChoicesDropdownFilter

from accounts.admin.staff import staff
from config.admin import ReadOnlyAdmin, RowLink, WithRowActions, list_button
from config.errors import DomainError
from config.handbook import helped_by
from config.row_numbers import row_number
from entries.admin.rehearsals.form import MIX_LABELS, RehearsalForm, again_with
from entries.admin.rehearsals.result import rules_told, told
from entries.models import Rehearsal, RehearsalState
from entries.services.rehearsals import MAY_REHEARSE, ask_rehearsal, looked_at
from entries.services.rehearsals.rule_sets import POOL
from pools.admin.pools import PoolAdmin

REFRESH_SECONDS = 2
SECTIONS = (
    (_("The season"), ("competition", "first", "last")),
    (_("The rules"), ("rules", "other")),
    (_("Whose picks"), ("origin", "pool", "file", "goes_on")),
    (_("The stakes"), ("entries", "fee", "currency")),
)


def _form_page() -> str:
    return reverse("admin:entries_rehearsal_new")


PoolAdmin.links = (
    *PoolAdmin.links,
    RowLink("Rehearse its rules", MAY_REHEARSE, lambda pk: f"{_form_page()}?rules={POOL}:{pk}"),
)

PoolAdmin.besides = (
    *PoolAdmin.besides,
    (_("Rehearse rules over a season that is over"), "admin:entries_rehearsal_new"),
)


@admin.register(Rehearsal)
class RehearsalAdmin(WithRowActions, ReadOnlyAdmin):
    """Whoever may make pools may rehearse them, and look at what others rehearsed."""

    handbook = "staff/rehearsal#rehearsing"
    links: ClassVar[tuple[RowLink, ...]] = (
        RowLink(gettext_noop("Again, with changes"), MAY_REHEARSE, lambda pk: f"{_form_page()}?like={pk}"),
    )
    change_form_outer_after_template = "entries/rehearsal_result.html"
    list_display = ("id", "competition", "rule_names", "origin", "entries", "seed", "status", "by", "created_at")
    list_display_links = ("id", "competition")
    list_select_related = ("competition", "by")
    list_filter: ClassVar = (("status", ChoicesDropdownFilter), ("origin", ChoicesDropdownFilter))
    search_fields = ("competition__code", "by__email")
    search_help_text = "The code of a competition, or the e-mail address of who asked"
    ordering = ("-id",)
    fields = ("competition", "status", "by", "created_at", "finished_at")
    actions_list = ("new",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Rehearsal]:
        """Without the picks of files: megabytes a row, and nobody looks at them."""
        found: QuerySet[Rehearsal] = super().get_queryset(request)
        return found.defer("file_picks")

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make pools."""
        return bool(request.user.has_perm(MAY_REHEARSE))

    def has_module_permission(self, request: HttpRequest) -> bool:
        """The same."""
        return self.has_view_permission(request)

    @admin.display(description="Rules")
    def rule_names(self, row: Rehearsal) -> str:
        """One or two."""
        return " / ".join(said(one["name"]) for one in row.rule_sets)

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Django's; below it what came of it. Until then the page looks again by itself."""
        row: Rehearsal | None = self.get_object(request, object_id) if object_id else None
        more = {} if row is None else {**told(row), "refresh_seconds": REFRESH_SECONDS}
        page = super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **more})
        if row is not None and row.status in (RehearsalState.QUEUED, RehearsalState.RUNNING):
            page["Refresh"] = str(REFRESH_SECONDS)
        return page

    @list_button("New rehearsal", path="new", icon="science", permission=MAY_REHEARSE)
    @helped_by("staff/rehearsal#rehearsing")
    def new(self, request: HttpRequest) -> HttpResponse:
        """The form, the rules in words, or the rehearsal itself."""
        again = _again(request)
        if request.method != "POST":
            wanted = {name: request.GET[name] for name in ("rules", "competition") if name in request.GET}
            initial = wanted if again is None else again_with(again)
            return self._form_page(request, RehearsalForm(initial=initial, again=again))
        form = RehearsalForm(request.POST, request.FILES, again=again)
        if not form.is_valid():
            return self._form_page(request, form)
        try:
            if request.POST.get("step") == "look":
                return self._look(request, form)
            with form.wish() as wish:
                made = ask_rehearsal(wish=wish, by=staff(request))
        except DomainError as refusal:
            form.tell(refusal)
            return self._form_page(request, form)
        return HttpResponseRedirect(reverse("admin:entries_rehearsal_change", args=[made.pk]))

    def _look(self, request: HttpRequest, form: RehearsalForm) -> HttpResponse:
        """The same form, with the rules in the words of players below it."""
        with form.wish(with_file=False) as wish:
            _, sets = looked_at(wish)
        return self._form_page(request, form, rules=rules_told(sets))

    def _form_page(self, request: HttpRequest, form: RehearsalForm, **more: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": _("New rehearsal"),
            "opts": self.opts,
            "form": form,
            "sections": [(title, [form[name] for name in names]) for title, names in SECTIONS],
            "mix": [form[name] for name in MIX_LABELS],
            "again": form.again,
            **more,
        }
        return TemplateResponse(request, "entries/rehearsal_form.html", context)


def _again(request: HttpRequest) -> Rehearsal | None:
    number = (request.POST if request.method == "POST" else request.GET).get("like", "")
    return Rehearsal.objects.filter(pk=row_number(number) or 0).first()
