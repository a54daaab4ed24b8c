"""The pages of the round room. They work without a script; the script looks again at the part that changes."""

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotModified, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from config.admin import HouseAdmin, list_button
from config.clock import database_now
from config.handbook import helped_by
from config.phrases import in_language
from config.row_numbers import row_number
from entries.admin.home import next_locks
from entries.admin.rooms.access import (
    REMINDS,
    RULES,
    SEES,
    TYPES,
    found_pool,
    found_room,
    refuse_without,
    way_to,
    way_to_room,
)
from entries.admin.rooms.acts import WithReminders
from entries.admin.rooms.charts import bars_of
from entries.admin.rooms.results import WithResults
from entries.queries.rooms.entries import LANES, After, Lane, page_of
from entries.queries.rooms.standing import Phase, Room, round_to_look_at, spread_of, told_of
from entries.queries.rooms.waiting import open_rounds, rulings_waiting
from entries.queries.rulings import sentence_of
from pools.queries.game_desk import games_on_desk

REFRESH_SECONDS = 5


class WithRooms(WithResults, WithReminders, HouseAdmin):
    """The list of entries with the rooms of their rounds beside it."""

    def get_urls(self) -> list[Any]:
        """Beside Django's: the rooms."""
        view = self.admin_site.admin_view
        own = [
            path("rooms/<int:pk>/", require_safe(view(self.current)), name="entries_room_current"),
            path("rooms/<int:pk>/<int:number>/", require_safe(view(self.room)), name="entries_room"),
            path("rooms/<int:pk>/<int:number>/live", require_safe(view(self.live)), name="entries_room_live"),
        ]
        return [*own, *super().get_urls()]

    @list_button("Round room", path="rooms", icon="stadium", permission=SEES)
    @helped_by("staff/rounds#the-round-room")
    def rooms(self, request: HttpRequest) -> HttpResponse:
        """The rounds that need somebody now."""
        refuse_without(request, SEES)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Round room"),
            "crumbs": way_to(),
            "locks": next_locks(),
            "rounds": open_rounds(),
            "may_type": request.user.has_perm(TYPES),
        }
        return TemplateResponse(request, "entries/rooms.html", context)

    @helped_by("staff/rounds#the-round-room")
    def current(self, request: HttpRequest, pk: int) -> HttpResponse:
        """To the round of the pool that somebody means who does not say which."""
        refuse_without(request, SEES)
        number = round_to_look_at(found_pool(pk), database_now())
        if number is None:
            raise Http404
        return HttpResponseRedirect(reverse("admin:entries_room", args=[pk, number]))

    @helped_by("staff/rounds#the-round-room")
    def room(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """One round of one pool."""
        refuse_without(request, SEES)
        room = found_room(pk, number)
        live, etag = _changing(request, room)
        context = {
            **self.admin_site.each_context(request),
            "room": room,
            "live": live,
            "live_etag": etag,
            "title": f"{room.pool}, {room.round}",
            "crumbs": way_to_room(room),
            "live_address": f"{reverse('admin:entries_room_live', args=[pk, number])}?{request.GET.urlencode()}",
            "refresh_seconds": REFRESH_SECONDS,
            "may_remind": room.can_be_reminded_of and request.user.has_perm(REMINDS),
            "may_type": room.phase in (Phase.PARTLY, Phase.LOCKED) and request.user.has_perm(TYPES),
            "before": number - 1 if number > room.pool.first_round_number else None,
            "following": number + 1 if number < (room.pool.ended_round_number or room.pool.last_round_number) else None,
        }
        return TemplateResponse(request, "entries/room.html", context)

    @helped_by("staff/rounds#the-round-room")
    def live(self, request: HttpRequest, pk: int, number: int) -> HttpResponse:
        """The part of the room that changes while games are played; 304 as long as it has not."""
        refuse_without(request, SEES)
        page, etag = _changing(request, found_room(pk, number))
        seen = request.headers.get("If-None-Match", "").removeprefix("W/")
        answer = HttpResponseNotModified() if seen == etag else HttpResponse(page)
        answer["ETag"] = etag
        return answer


def _changing(request: HttpRequest, room: Room) -> tuple[SafeString, str]:
    """The part of the room that changes by itself, and its ETag."""
    page = render_to_string("entries/room_live.html", _facts(request, room), request)
    return page, f'"{hashlib.sha256(page.encode()).hexdigest()[:32]}"'


def _facts(request: HttpRequest, room: Room) -> dict[str, Any]:
    """What it shows. Of a round whose picks are secret, nothing about them."""
    desk = games_on_desk(room.round, room.now)
    names = {side.code: side.name for one in desk for side in (one.game.home, one.game.away)}
    may_rule = request.user.has_perm(RULES)
    rulings = rulings_waiting(room.pool.competition_id, room.round.number) if may_rule else []
    return {
        "room": room,
        "desk": desk,
        "bars": bars_of(spread_of(room), names),
        "told": [] if room.is_secret else told_of(room),
        "rulings": [(ruling, in_language(sentence_of(ruling))) for ruling in rulings],
        "may_rule": may_rule,
        **_entries(request, room),
    }


def _entries(request: HttpRequest, room: Room) -> dict[str, Any]:
    """The page of entries that the address asks for."""
    lane, after = _asked(request.GET, room)
    page = page_of(room, lane, after)
    onward = page.onward and urlencode({"lane": lane, "after": f"{page.onward.standing}-{page.onward.entry}"})
    return {
        "lanes": [(one, one.label) for one in LANES[room.phase]],
        "lane": lane,
        "page": page,
        "next": onward or "",
        "is_onward": after != After(),
        "shows_teams": lane not in (Lane.MISSING, Lane.PICKED),
    }


def _asked(said: Mapping[str, str], room: Room) -> tuple[Lane, After]:
    """As the address says; what of that is nonsense is left out."""
    lanes = LANES[room.phase]
    lane = Lane(said["lane"]) if said.get("lane") in lanes else lanes[0]
    standing, _dash, entry = said.get("after", "").partition("-")
    strikes, last = row_number(standing), row_number(entry)
    is_place = strikes is not None and last is not None and strikes <= 100_000
    return lane, After(strikes or 0, last or 0) if is_place else After()
