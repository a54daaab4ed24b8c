"""Results by hand: all games of a round on one page, typed once, and again without seeing what was typed first."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.staff import staff
from accounts.models import User
from config.admin import HouseAdmin
from config.clock import database_now
from config.errors import Code, DomainError
from config.handbook import helped_by
from config.row_numbers import row_number
from entries.admin.rooms.access import SEES, TYPES, refuse_without, way_to
from pools.models import Round, TypedResult, TypedState
from pools.queries.game_desk import DeskGame, games_on_desk
from pools.services.typed_results import Typed, read_score, type_result, withdraw_typed_result

BECAME: Mapping[str, str | Promise] = {
    TypedState.ONCE: gettext_lazy("Typed once. It counts when it is typed again alike."),
    TypedState.TAKEN: gettext_lazy("Typed twice alike: this is the result now."),
    TypedState.DIFFERS: gettext_lazy("Typed otherwise than the first time. Nothing was written; type it anew."),
    TypedState.HELD: gettext_lazy("Typed twice alike, but the game has changed meanwhile: it takes a ruling."),
}


class WithResults(HouseAdmin):
    """The pages on which results are typed, and taken back."""

    def get_urls(self) -> list[Any]:
        """Beside Django's."""
        view = self.admin_site.admin_view
        own = [
            path("rooms/results/<int:pk>/", view(self.results), name="entries_room_results"),
            path("rooms/typed/<int:pk>/", view(self.take_back), name="entries_room_take_back"),
        ]
        return [*own, *super().get_urls()]

    @helped_by("staff/rounds#entering-results")
    def results(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All games of the round; each that was typed goes to the service by itself, and says what became of it."""
        refuse_without(request, SEES)
        round_ = get_object_or_404(Round.objects.select_related("competition"), pk=pk)
        faults: dict[int, DomainError] = {}
        given: Mapping[str, str] = {}
        if request.method == "POST":
            refuse_without(request, TYPES)
            became, faults = _typed(request.POST, games_on_desk(round_, database_now()), staff(request))
            for status, count in became.items():
                said = ngettext("%(count)s game: %(what)s", "%(count)s games: %(what)s", count)
                level = messages.WARNING if status in (TypedState.DIFFERS, TypedState.HELD) else messages.SUCCESS
                messages.add_message(request, level, said % {"count": count, "what": BECAME[status]})
            if not faults:
                if not became:
                    messages.info(request, _("Nothing was typed."))
                return HttpResponseRedirect(request.path)
            given = request.POST
        desk = games_on_desk(round_, database_now())
        context = {
            **self.admin_site.each_context(request),
            "title": f"{_('Results by hand')}: {round_.competition}, {round_}",
            "crumbs": way_to((f"{round_.competition}, {round_}", ""), (_("Results by hand"), "")),
            "round": round_,
            "rows": [(one, *_kept(one, given, faults)) for one in desk],
            "may_type": request.user.has_perm(TYPES),
            "has_locked": round_.locks_at is not None and round_.locks_at <= database_now(),
        }
        return TemplateResponse(request, "entries/room_results.html", context)

    @helped_by("staff/rounds#entering-results")
    def take_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask, and take back what was typed once."""
        refuse_without(request, TYPES)
        row = get_object_or_404(
            TypedResult.objects.select_related("game__round", "game__home", "game__away", "typed_by"), pk=pk
        )
        back = reverse("admin:entries_room_results", args=[row.game.round_id])
        if request.method == "POST":
            try:
                withdraw_typed_result(typed_id=pk, by=staff(request))
            except DomainError as refusal:
                messages.error(request, refusal.sentence)
            else:
                messages.success(request, _("Taken back. The game can be typed anew."))
            return HttpResponseRedirect(back)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Take back what was typed"),
            "crumbs": way_to((row.game.round, back), (_("Take back what was typed"), "")),
            "row": row,
            "back": back,
        }
        return TemplateResponse(request, "entries/room_take_back.html", context)


def _typed(said: Mapping[str, str], desk: list[DeskGame], by: User) -> tuple[Counter[str], dict[int, DomainError]]:
    """Each game by itself: what became of those that were typed, and why others were refused."""
    became, faults = Counter[str](), dict[int, DomainError]()
    for one in desk:
        pk = one.game.pk
        home, away = (said.get(f"{side}-{pk}", "").strip() for side in ("home", "away"))
        if not home and not away:
            continue
        try:
            became[_sent(pk, home, away, said.get(f"waiting-{pk}", ""), by)] += 1
        except DomainError as refusal:
            faults[pk] = refusal
    return became, faults


def _sent(game_id: int, home: str, away: str, waiting: str, by: User) -> str:
    typed = Typed(read_score(home, "home_score"), read_score(away, "away_score"), row_number(waiting) or 0)
    return type_result(game_id=game_id, typed=typed, by=by).status


def _kept(one: DeskGame, given: Mapping[str, str], faults: Mapping[int, DomainError]) -> tuple[str, str, str]:
    """Both scores as they were typed, where they were no scores, and why. Nothing else stays in the page: a score that
    is there already would be sent again unseen."""
    pk = one.game.pk
    fault = faults.get(pk)
    if fault is None or fault.code is not Code.VALIDATION_ERROR:
        return "", "", "" if fault is None else fault.sentence
    return given.get(f"home-{pk}", ""), given.get(f"away-{pk}", ""), fault.sentence
