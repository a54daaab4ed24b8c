"""What happens in a pool, live: the addresses, what a listener is told first, and where the web server sends who asks.

The live process answers at these addresses (`config.roots.live`). The web server knows them as well, for clients that
have only its address: it sends them on.
"""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar
from urllib.parse import urlsplit

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.http import require_safe
from drf_spectacular.utils import PolymorphicProxySerializer, inline_serializer
from rest_framework import serializers
from rest_framework.request import Request

from config.api.envelope import json_response
from config.api.handler import failure
from config.api.operations import operation
from config.api.permissions import Public
from config.api.views import ApiView
from config.clock import database_now
from config.errors import Code, Unavailable
from config.live.source import Event, Snapshot
from pools.api.serializers import PoolOut, PoolRoundOut
from pools.models import EventKind, Pool
from pools.models.event import CHANNEL
from pools.queries import RoundStatus, pool_cards, pools_with_facts, round_cards, rounds_in_full, rounds_of
from pools.queries.events import last_told, told_since

SOCKET = r"^ws/pools/(?P<topic>[0-9]{1,18})$"
STREAM = r"^api/v1/pools/(?P<topic>[0-9]{1,18})/events$"

# A snapshot is built anew when something happened while it was; so often, then it is true enough.
TRIES = 3


class PoolSource:
    """Pools as topics, for `config.live`."""

    noun = "pool"
    channel = CHANNEL

    def last(self, topic: int) -> int | None:
        """Of a pool that everybody may see."""
        return last_told(topic)

    def snapshot(self, topic: int) -> Snapshot:
        """The pool and its rounds in play, as `GET /api/v1/pools/{id}` and `…/rounds` show them to nobody known."""
        for _ in range(TRIES):
            number, now, data = last_told(topic) or 0, database_now(), _standing(topic)
            if number == last_told(topic):
                break
        return Snapshot(number, now, data)

    def since(self, seen: Mapping[int, int], limit: int) -> Sequence[Event]:
        """In the words of the table."""
        return [Event(*told) for told in told_since(seen, limit)]


def _standing(pool_id: int) -> dict[str, Any]:
    """What anybody may read of the pool: its page, and the rounds that can be picked or are being played."""
    now = database_now()
    pool = pools_with_facts(Pool.objects.public().filter(pk=pool_id), now).get()
    card = pool_cards([pool])[0]
    rounds = [
        found
        for found in rounds_in_full(rounds_of(pool), now, pool=pool)
        if _status(found) == RoundStatus.LOCKED or found.number == card.current_round
    ]
    cards = round_cards(pool, rounds, now)
    return {"pool": dict(PoolOut(card).data), "rounds": [dict(PoolRoundOut(each).data) for each in cards]}


def _status(round_: Any) -> str:
    return str(round_.status)


class EventsQuery(serializers.Serializer[Any]):
    last_event_id = serializers.IntegerField(
        required=False,
        min_value=0,
        help_text="The `id` of the newest event that was seen.",
    )


# Declared as a whole: a field named `data` has no room in the body of a serializer.
EVENT = inline_serializer(
    "PoolEvent",
    {
        "type": serializers.ChoiceField([("event", "event")], read_only=True),
        "id": serializers.IntegerField(read_only=True, help_text="1, 2, 3 … for each pool, without a gap."),
        "kind": serializers.ChoiceField(EventKind.choices, read_only=True),
        "at": serializers.DateTimeField(read_only=True),
        "pool": serializers.IntegerField(read_only=True),
        "data": serializers.DictField(read_only=True, help_text="Facts, by kind."),
    },
)
STANDING = inline_serializer("PoolStanding", {"pool": PoolOut(), "rounds": PoolRoundOut(many=True)})
SNAPSHOT = inline_serializer(
    "PoolSnapshot",
    {
        "type": serializers.ChoiceField([("snapshot", "snapshot")], read_only=True),
        "id": serializers.IntegerField(read_only=True, help_text="All that events up to this one told is in it."),
        "at": serializers.DateTimeField(read_only=True),
        "pool": serializers.IntegerField(read_only=True),
        "data": STANDING,
    },
)
MESSAGE = PolymorphicProxySerializer("PoolMessage", [SNAPSHOT, EVENT], resource_type_field_name=None)


class _ToLive(HttpResponseRedirect):
    """Nothing but where to go: it has no body, so no type of one."""

    status_code = 307

    def __init__(self, to: str) -> None:
        super().__init__(to)
        del self["Content-Type"]


class PoolEventsView(ApiView):
    """Where the web server is asked for what the live process tells."""

    family = "pools"
    permission_classes = [Public]
    also_answers: ClassVar[Mapping[int, str]] = {307: "The stream is at `Location`, which takes the same parameters."}

    @operation(
        query=EventsQuery,
        answer=None,
        media_types={"text/event-stream": MESSAGE},
        name="streamPoolEvents",
        summary="Follow a pool",
    )
    def get(self, request: Request, pool_id: str) -> HttpResponse:
        """A stream of server-sent events: a snapshot, then each event under the name of its kind.

        Whoever comes back says `Last-Event-ID`, or `?last_event_id=`, and is sent what came after. The same is told
        over a WebSocket at `/ws/pools/{id}`. Only pools that everybody may see are told of.
        """
        self.valid_query()
        if last_told(int(pool_id)) is None:
            raise Http404
        return _sent_on(request._request)


@require_safe
def socket_elsewhere(request: HttpRequest, topic: str) -> HttpResponse:
    """`/ws/pools/{id}` at the web server: clients that follow redirects find the live process."""
    try:
        return _sent_on(request)
    except Unavailable as away:
        return json_response(failure(away.code), status=503)


def _sent_on(request: HttpRequest) -> HttpResponse:
    """To the same path at the live process. Refuses where the settings do not know it: then a proxy should have."""
    if not settings.LIVE_URL:
        raise Unavailable(Code.SERVICE_UNAVAILABLE, "Events are told by another process, which is not known here.")
    query = urlsplit(request.get_full_path()).query
    return _ToLive(f"{settings.LIVE_URL}{request.path}{f'?{query}' if query else ''}")


__all__ = ["SOCKET", "STREAM", "PoolEventsView", "PoolSource", "socket_elsewhere"]
