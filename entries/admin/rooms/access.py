"""Who may be in the round room, and what for; how its addresses are found."""

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _

from config.crumbs import Crumb, crumbs
from config.errors import NotFound
from entries.queries.rooms.standing import Room, room_of
from entries.services.rulings.people import PERMISSION as RULES
from pools.models import Pool, PoolStatus

SEES = "pools.view_game"
TYPES = "pools.change_game"
REMINDS = "entries.send_announcement"

__all__ = ["REMINDS", "RULES", "SEES", "TYPES", "found_pool", "found_room", "refuse_without", "way_to", "way_to_room"]


def refuse_without(request: HttpRequest, permission: str) -> None:
    """403 for whoever has not got it."""
    if not request.user.has_perm(permission):
        raise PermissionDenied


def found_pool(pk: int) -> Pool:
    """404 for a pool that nobody plays."""
    played = Pool.objects.exclude(status__in=(PoolStatus.DRAFT, PoolStatus.CANCELLED))
    return get_object_or_404(played.select_related("competition"), pk=pk)


def found_room(pk: int, number: int) -> Room:
    """The round of the pool; 404 where there is none, and for a pool that nobody plays."""
    try:
        return room_of(found_pool(pk), number)
    except NotFound as refusal:
        raise Http404(refusal.message) from None


def way_to(*steps: tuple[object, str]) -> list[Crumb]:
    """The way to a page of the room; every one begins at the list of rooms."""
    return crumbs((_("Round room"), reverse("admin:entries_entry_rooms") if steps else ""), *steps)


def way_to_room(room: Room, *steps: tuple[object, str]) -> list[Crumb]:
    """The way to a room, and on from there."""
    address = reverse("admin:entries_room", args=[room.pool.pk, room.round.number]) if steps else ""
    pool = reverse("admin:pools_pool_change", args=[room.pool.pk])
    return way_to((room.pool, pool), (room.round, address), *steps)
