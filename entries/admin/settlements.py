"""Settlements in the back office: what each changed, and a page that settles, or says what settling would change."""

from collections.abc import Callable
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import FileResponse, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext, gettext_noop
from unfold.contrib.filters.admin import ChoicesDropdownFilter, RelatedDropdownFilter
from unfold.widgets import UnfoldAdminSelectWidget

from accounts.models import User
from config.admin import ReadOnlyAdmin, WithRowActions, list_button
from config.handbook import helped_by
from config.phrases import shown_amount
from entries.admin.links import SETTLES, linked, to_results, to_room, to_ruling, to_settlement
from entries.admin.rulings.tables import SHOWN, ends_of, said_of, tables_of
from entries.models import Entry, EntryChange, Settlement, SettlementCause
from entries.services.rulings.tally import Tally, lines_file
from entries.services.settlement import Line, settle_competition
from pools.admin.competitions import CompetitionAdmin
from pools.admin.games import GameAdmin
from pools.admin.pools import PoolAdmin
from pools.models import Competition

# Lines of a settlement on its page.
LISTED = 200

# Down here, because those apps do not know of rulings and settlements.
GameAdmin.links = (*GameAdmin.links, to_ruling(gettext_noop("Rule on this game"), "propose_game", "game"), to_results())
PoolAdmin.links = (*PoolAdmin.links, to_room())
CompetitionAdmin.links = (*CompetitionAdmin.links, to_settlement())


class SettleForm(forms.Form):
    """Which competition."""

    competition = forms.ModelChoiceField(Competition.objects.order_by("-id"), widget=UnfoldAdminSelectWidget())


@admin.register(Settlement)
class SettlementAdmin(WithRowActions, ReadOnlyAdmin):
    """Settlements that changed something, and what."""

    handbook = "staff/rounds#settlement"
    change_form_outer_after_template = "entries/settlement_page.html"
    list_display = ("id", "competition", "at", "cause", "by", "ruling_link", "changed")
    list_select_related = ("competition", "by", "ruling")
    list_filter: ClassVar = (("cause", ChoicesDropdownFilter), ("competition", RelatedDropdownFilter))
    ordering = ("-id",)
    fields = ("competition", "at", "cause", "by", "ruling_link", "through", "changed")
    readonly_fields = ("ruling_link", "changed")
    actions_list = ("settle",)

    @admin.display(description="Ruling")
    def ruling_link(self, settlement: Settlement) -> SafeString | str:
        """The ruling that it carried out."""
        if settlement.ruling_id is None:
            return ""
        address = reverse("admin:entries_ruling_change", args=[settlement.ruling_id])
        return linked(address, f"Ruling {settlement.ruling_id}")

    @admin.display(description="What it changed")
    def changed(self, settlement: Settlement) -> str:
        """In numbers."""
        return ", ".join(said_of(settlement.difference)) or "nothing"

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        """Django's; below it, the changes of the entries."""
        settlement = self.get_object(request, object_id) if object_id else None
        told: dict[str, Any] = {} if settlement is None else {"changes": _changes(settlement)}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **told})

    @list_button("Settle", path="settle", icon="calculate", permission=SETTLES)
    @helped_by("staff/rounds#settling-by-hand")
    def settle(self, request: HttpRequest) -> HttpResponseBase:
        """What settling a competition would change; or settling it."""
        asked = request.POST if request.method == "POST" else request.GET
        form = SettleForm(asked or None)
        told: dict[str, Any] = {}
        if request.method == "POST" and form.is_valid():
            competition: Competition = form.cleaned_data["competition"]
            match request.POST.get("what"):
                case "settle":
                    return self._settle(request, competition)
                case "lines":
                    return _lines(competition)
                case _:
                    told = _preview(competition)
        context = {
            **self.admin_site.each_context(request),
            "title": gettext("Settle a competition"),
            "opts": self.opts,
            "form": form,
            **told,
        }
        return TemplateResponse(request, "entries/settle.html", context)

    def _settle(self, request: HttpRequest, competition: Competition) -> HttpResponseBase:
        assert isinstance(request.user, User)
        done = settle_competition(
            competition_id=competition.pk, cause=SettlementCause.STAFF, by=request.user, may_take_long=True
        )
        if done.settlement_id is None:
            self.message_user(request, f"{competition}: everything was settled already.", messages.INFO)
            return HttpResponseRedirect(f"{request.path}?competition={competition.pk}")
        said = ", ".join(said_of(done.difference._asdict()))
        self.message_user(request, f"{competition}: {said}.", messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:entries_settlement_change", args=[done.settlement_id]))


def _preview(competition: Competition) -> dict[str, Any]:
    """The tables of a dry run."""
    tally = Tally(listed=SHOWN)
    looked = settle_competition(competition_id=competition.pk, dry_run=True, tell=tally, may_take_long=True)
    tally.finish()
    return {**tables_of(tally), "ends": ends_of(looked.difference), "looked": competition}


def _lines(competition: Competition) -> FileResponse:
    """Every line of a dry run."""

    def tell(write: Callable[[Line], object]) -> None:
        tally = Tally(write=write, listed=0)
        settle_competition(competition_id=competition.pk, dry_run=True, tell=tally, may_take_long=True)

    name = f"settlement-{competition.code}.csv"
    return FileResponse(lines_file(tell), as_attachment=True, filename=name, content_type="text/csv; charset=utf-8")


def _changes(settlement: Settlement) -> dict[str, Any]:
    """The changes that the settlement made, with whose entries they are."""
    found = changes_of(settlement)
    rows = list(found[: LISTED + 1])
    entries = Entry.objects.select_related("user", "pool").in_bulk([row.subject_id for row in rows])
    told = [(row, entries[row.subject_id], _prize(row, entries[row.subject_id])) for row in rows[:LISTED]]
    return {"rows": told, "has_more": len(rows) > LISTED}


def _prize(change: EntryChange, entry: Entry) -> str:
    cents = change.details.get("prize_cents")
    return "" if cents is None else shown_amount(cents, entry.pool.currency)


def changes_of(settlement: Settlement) -> QuerySet[EntryChange]:
    """The rows of history that are its own: others may have been written meanwhile."""
    return EntryChange.objects.filter(
        pk__gte=settlement.first_change_id or 0,
        pk__lte=settlement.last_change_id or 0,
        reason=f"settlement {settlement.pk}",
    ).order_by("pk")
