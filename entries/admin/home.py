"""What the home page tells of requests, rounds and entries. Of picks it tells how many are missing, never what was
picked.
"""

import json
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from config.home import Panel, Queue, among, panel, queue
from entries.models import PaymentStatus, RequestStatus, RulingStatus

# Who has not paid by now loses the place within this time.
SOON = timedelta(hours=24)
MOST_ROUNDS, MOST_POOLS = 8, 8
COLOURS = ("primary-500", "blue-500", "green-600", "orange-500", "red-500", "base-500", "primary-300", "blue-300")

# The next lock of each competition in play, pool by pool, by tallies: how many play the round, how many have all of its
# picks. Whoever sits the round out owes none.
NEXT_LOCKS = """
    WITH next AS (
        SELECT p.id AS pool, p.name AS pool_name, r.id, r.number, r.name, r.locks_at,
               CASE WHEN r.number = ANY(rules.two_pick_rounds) THEN 2 ELSE rules.picks_per_round END AS wanted
        FROM (SELECT DISTINCT competition_id FROM pools_pool WHERE status IN ('open', 'running')) c
        CROSS JOIN LATERAL (SELECT * FROM pools_round WHERE competition_id = c.competition_id
                            AND locks_at > clock_timestamp() ORDER BY locks_at LIMIT 1) r
        JOIN pools_pool p ON p.competition_id = c.competition_id AND p.status IN ('open', 'running')
            AND r.number BETWEEN p.first_round_number AND least(p.last_round_number, p.ended_round_number)
        CROSS JOIN LATERAL (SELECT picks_per_round, two_pick_rounds FROM pools_rules
                            WHERE pool_id = p.id AND effective_round_number <= r.number
                            ORDER BY version DESC LIMIT 1) rules
        ORDER BY r.locks_at, p.id LIMIT %s
    )
    SELECT n.pool, n.pool_name, n.id, n.number, n.name, n.locks_at,
        coalesce((SELECT sum(entries) FROM entries_entrytally
                  WHERE pool_id = n.pool AND status = 'active' AND first_round_number <= n.number), 0)::bigint
        - (SELECT count(DISTINCT e.id) FROM entries_reprieve v JOIN entries_entry e ON e.id = v.entry_id
           WHERE v.revoked_at IS NULL AND e.pool_id = n.pool AND e.status = 'active'
             AND n.number > v.from_round_number AND n.number < v.before_round_number),
        coalesce((SELECT sum(picks) FROM entries_picktally
                  WHERE pool_id = n.pool AND round_id = n.id AND slot = n.wanted), 0)::bigint,
        clock_timestamp()
    FROM next n ORDER BY n.locks_at, n.pool
"""

# The biggest pools in play, with how many fell in which round; 0 is nobody's fall.
ALIVE = """
    WITH stood AS (
        SELECT t.pool_id, t.eliminated_round_number AS fell_in, sum(t.entries)::bigint AS entries
        FROM entries_entrytally t JOIN pools_pool p ON p.id = t.pool_id AND p.status IN ('open', 'running')
        WHERE t.status <> 'void' GROUP BY 1, 2
    ), shown AS (
        SELECT pool_id, sum(entries) AS total FROM stood GROUP BY 1 HAVING sum(entries) > 0
        ORDER BY total DESC, pool_id LIMIT %s
    )
    SELECT p.id, p.name, p.first_round_number, s.fell_in, s.entries
    FROM shown JOIN stood s USING (pool_id) JOIN pools_pool p ON p.id = shown.pool_id
    ORDER BY shown.total DESC, p.id, s.fell_in
"""


@dataclass(frozen=True, slots=True)
class NextLock:
    """A round of a pool that has not locked. `missing` are entries without all of their picks."""

    pool_id: int
    pool: str
    round_id: int
    number: int
    round: str
    locks_at: datetime
    playing: int
    picked: int
    now: datetime

    @property
    def missing(self) -> int:
        return max(self.playing - self.picked, 0)

    @property
    def is_soon(self) -> bool:
        return self.locks_at - self.now < SOON

    @property
    def address(self) -> str:
        """The entries that play it."""
        return entries_of(self.pool_id)


@dataclass(slots=True)
class Alive:
    """How many of a pool's entries are left after each round; `fell` is by round, 0 for those who did not."""

    pool_id: int
    pool: str
    first_round: int
    fell: dict[int, int] = field(default_factory=dict)

    @property
    def total(self) -> int:
        return sum(self.fell.values())

    @property
    def left(self) -> int:
        return self.fell.get(0, 0)

    @property
    def percent(self) -> int:
        return round(100 * self.left / self.total) if self.total else 0

    @property
    def address(self) -> str:
        """The entries that are left."""
        return entries_of(self.pool_id)

    def after(self, round_number: int) -> float | None:
        """The share in percent that was left after this round; nothing before the pool began or after the last fall."""
        if round_number < self.first_round - 1 or round_number > max(self.fell):
            return None
        fallen = sum(number for fell_in, number in self.fell.items() if 0 < fell_in <= round_number)
        return round(100 * (self.total - fallen) / self.total, 1)


def entries_of(pool_id: int) -> str:
    """The list of the pool's entries that are still in."""
    query = urlencode({"pool__id__exact": pool_id, "status__exact": "active"})
    return f"{reverse('admin:entries_entry_changelist')}?{query}"


def next_locks() -> list[NextLock]:
    """The rounds that lock next, the first one first."""
    with connection.cursor() as cursor:
        cursor.execute(NEXT_LOCKS, [MOST_ROUNDS])
        return [NextLock(*row) for row in cursor.fetchall()]


def alive() -> list[Alive]:
    """The biggest pools in play."""
    found: dict[int, Alive] = {}
    with connection.cursor() as cursor:
        cursor.execute(ALIVE, [MOST_POOLS])
        for pool_id, name, first_round, fell_in, entries in cursor.fetchall():
            found.setdefault(pool_id, Alive(pool_id, name, first_round)).fell[fell_in] = entries
    return list(found.values())


def _rounds_panel(request: HttpRequest) -> dict[str, Any]:
    return {"locks": next_locks()}


def _alive_panel(request: HttpRequest) -> dict[str, Any]:
    pools = alive()
    began = [pool for pool in pools if max(pool.fell) > 0]
    rounds = range(
        min((pool.first_round for pool in began), default=1) - 1, max((max(p.fell) for p in began), default=0) + 1
    )
    data = {
        "labels": [str(number) for number in rounds],
        "datasets": [
            {
                "label": pool.pool,
                "data": [pool.after(number) for number in rounds],
                "borderColor": f"var(--color-{colour})",
                "backgroundColor": f"var(--color-{colour})",
            }
            for pool, colour in zip(began, COLOURS, strict=False)
        ],
    }
    options = {
        "responsive": True,
        "maintainAspectRatio": False,
        "animation": False,
        "scales": {"y": {"min": 0, "max": 100, "ticks": {"stepSize": 25}}},
        "plugins": {"legend": {"display": True, "position": "bottom"}},
    }
    return {"pools": pools, "chart": json.dumps(data) if began else "", "options": json.dumps(options)}


def _unpaid_until(now: datetime) -> str:
    asked = {
        "status__exact": RequestStatus.APPROVED.value,
        "payment_status__in": f"{PaymentStatus.PENDING},{PaymentStatus.FAILED}",
        "pay_by__lt": (now + SOON).isoformat(timespec="minutes"),
    }
    return f"?{urlencode(asked)}"


queue(
    Queue(
        "requests", _("Requests to decide"), "entries_request",
        f"{among('status', RequestStatus.PENDING)} AND waitlisted_at IS NULL",
        since="created_at", query="?status__exact=pending&waitlisted_at__isempty=1", icon="person_add",
    ),
    Queue(
        "unpaid", _("Unpaid, about to expire"), "entries_request",
        f"{among('status', RequestStatus.APPROVED)}"
        f" AND {among('payment_status', PaymentStatus.PENDING, PaymentStatus.FAILED)}"
        f" AND pay_by < clock_timestamp() + interval '{SOON.total_seconds():.0f} seconds'",
        since="pay_by", query=_unpaid_until, is_due=True, patience=timedelta(hours=3), icon="hourglass_bottom",
    ),
    Queue(
        "rulings", _("Rulings for a second name"), "entries_ruling", among("status", RulingStatus.PROPOSED),
        since="proposed_at", query="?status__exact=proposed", icon="gavel",
    ),
)  # fmt: skip
panel(
    Panel(
        "rounds", _("Rounds that lock next"), "entries.view_entry", "entries/next_locks.html", _rounds_panel,
        icon="lock_clock",
    ),
    Panel("alive", _("Who is still in"), "entries.view_entry", "entries/home_alive.html", _alive_panel, is_tall=True),
)  # fmt: skip
