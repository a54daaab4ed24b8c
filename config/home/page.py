"""The home page as it is shown: which queues have something in them, what is late, and the panels below."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.http import HttpRequest
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import number_format
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from config.home.registry import Panel, Queue, panels_for, queues_for

# Nobody works off more in a day: beyond it the page says "more than", and the rows are not counted.
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Waiting:
    """A queue with something in it."""

    queue: Queue
    number: int
    since: datetime
    now: datetime

    @property
    def count(self) -> str:
        """How many, as it is written."""
        if self.number > MOST_COUNTED:
            return f"{number_format(MOST_COUNTED, force_grouping=True)}+"
        return str(number_format(self.number, force_grouping=True))

    @property
    def age(self) -> str:
        """For how long the oldest waits, or how much time the first one has left."""
        if not self.queue.is_due:
            return _("oldest waits for %(time)s") % {"time": _about(self.since, self.now)}
        if self.since <= self.now:
            return _("first was due %(time)s ago") % {"time": _about(self.since, self.now)}
        return _("first is due in %(time)s") % {"time": _about(self.now, self.since)}

    @property
    def is_late(self) -> bool:
        """Whether somebody should look at once."""
        if self.queue.is_due:
            return self.since <= self.now + self.queue.patience
        return self.queue.is_urgent or self.now - self.since > self.queue.patience

    @property
    def address(self) -> str:
        """The list that shows just these rows."""
        query = self.queue.query
        return reverse(self.queue.address) + (query if isinstance(query, str) else query(self.now))


def show(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the template of the admin's index gets besides Django's own (`UNFOLD["DASHBOARD_CALLBACK"]`)."""
    queues = queues_for(request.user)
    waiting = waiting_in(queues)
    busy = {one.queue.name for one in waiting}
    return {
        **context,
        "title": pgettext("first page", "Home"),
        "waiting": sorted(waiting, key=lambda one: (not one.is_late, one.since)),
        "late": sum(one.is_late for one in waiting),
        "empty": [one for one in queues if one.name not in busy],
        "panels": [{"panel": one, "content": _shown(one, request)} for one in panels_for(request.user)],
    }


def waiting_in(queues: Sequence[Queue]) -> list[Waiting]:
    """The queues that are not empty, in their order, all counted in one statement."""
    if not queues:
        return []
    parts = [
        f"SELECT {place} AS place, count(*), min(at) FROM"
        f" (SELECT {one.since} AS at FROM {one.table} WHERE {one.where} ORDER BY {one.since} LIMIT {MOST_COUNTED + 1})"
        f" rows_{place}"
        for place, one in enumerate(queues)
    ]
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT found.*, clock_timestamp() FROM ({' UNION ALL '.join(parts)}) found ORDER BY place")
        return [
            Waiting(queues[place], number, since, now)
            for place, number, since, now in cursor.fetchall()
            if number and since
        ]


def _shown(panel: Panel, request: HttpRequest) -> SafeString:
    return render_to_string(panel.template, {**panel.read(request), "panel": panel}, request)


def _about(earlier: datetime, later: datetime) -> str:
    """The time between the two, in its largest unit."""
    if later - earlier < timedelta(minutes=1):
        return _("less than a minute")
    return str(timesince(earlier, later, depth=1))
