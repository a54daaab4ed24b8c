"""The rounds of a pool and their locks in three time zones: UTC, the competition's own, and one that the viewer chose.

The choice is kept with the session. Nothing of it needs JavaScript: the page is asked for again with another zone.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django.conf import settings
from django.db.models import Count, Max, Q
from django.http import HttpRequest
from django.utils.dateformat import format as format_date
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from pools.models import LockPolicy, Pool, Rules
from pools.queries import registration_closes_at, rounds_of
from pools.queries.rounds import OFF

KEPT_AS = "zone"
# Where most players are: shown until somebody chooses.
USUAL = ("America/New_York", "Europe/London")


def rounds_in_zones(request: HttpRequest, pool: Pool, rules: Rules) -> dict[str, Any]:
    """What `pools/rounds_in_zones.html` shows, in two queries however many rounds. The pool may be unsaved."""
    zones = _zones(request, pool)
    games = rounds_of(pool).annotate(
        game_count=Count("games"), last_game_at=Max("games__locks_at", filter=~Q(games__status__in=OFF))
    )
    closes_at = registration_closes_at(pool, rules)
    by_game = rules.lock == LockPolicy.GAME
    rows: list[tuple[str | Promise, int | None, list[str | Promise]]] = [
        (_("Registration closes"), None, [_shown(closes_at, None, zone) for zone in zones])
    ]
    rows += [
        (
            f"{round_.number} · {round_.name}",
            round_.game_count,
            [_shown(round_.locks_at, round_.last_game_at if by_game else None, zone) for zone in zones],
        )
        for round_ in games
    ]
    return {"zone_rows": rows, "zones": zones, "zone_names": _names(), "zone": zones[-1].key, "locks_by_game": by_game}


def _zones(request: HttpRequest, pool: Pool) -> list[ZoneInfo]:
    """Each once: UTC, where the competition is, and the third."""
    fixed = list(dict.fromkeys(("UTC", pool.competition.time_zone)))
    chosen = request.POST.get(KEPT_AS) or request.GET.get(KEPT_AS)
    if chosen in available_timezones() and chosen != request.session.get(KEPT_AS):
        request.session[KEPT_AS] = chosen
    usual = [name for name in (settings.FINANCE_TIME_ZONE.key, *USUAL) if name not in fixed]
    third = request.session.get(KEPT_AS) or usual[0]
    return [ZoneInfo(name) for name in [*(name for name in fixed if name != third), third]]


def _names() -> list[str]:
    """Those of places, and UTC."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return ["UTC", *sorted(places)]


def _shown(at: datetime | None, until: datetime | None, zone: ZoneInfo) -> str | Promise:
    """Weekday, day, time and the zone's letters, so that both sides of a change of clocks can be told apart."""
    if at is None:
        return _("not known yet")
    instants = [at] if until is None or until == at else [at, until]
    return " – ".join(format_date(instant.astimezone(zone), "D Y-m-d H:i T") for instant in instants)
