"""The same as server-sent events, and what the web server says to whoever asks it."""

import http.client
import json

import pytest

from pools.models import PoolStatus
from tests.config.live.test_sockets import tell
from tests.factories.pools import PoolFactory
from tests.support.live import Stream, heard

pytestmark = pytest.mark.slow


def test_a_stream_tells_what_a_socket_tells(live):
    pool = PoolFactory()
    with live.listen(pool) as client, live.stream(pool) as stream:
        tell(pool, 1, 2)
        by_socket = heard(client, 3)
        fields = [stream.next() for _ in range(3)]

    assert (stream.status, stream.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
    assert stream.headers["cache-control"] == "no-store"
    assert [json.loads(each["data"]) for each in fields] == by_socket
    assert [(each["id"], each["event"]) for each in fields] == [
        ("0", "snapshot"), ("1", "round.revealed"), ("2", "round.revealed"),
    ]  # fmt: skip


def test_a_stream_goes_on_where_it_was_cut(live):
    pool = PoolFactory()
    tell(pool, 1, 2, 3)
    for seen in range(3):
        with live.stream(pool, seen=seen) as stream:
            assert [stream.message()["id"] for _ in range(3 - seen)] == list(range(seen + 1, 4))


def test_what_a_browser_says_by_itself_is_newer_than_the_address(live):
    pool = PoolFactory()
    tell(pool, 1, 2, 3)
    status, _, _ = live.ask(f"/api/v1/pools/{pool.pk}/events?last_event_id=x")
    assert status == 400

    asking = http.client.HTTPConnection("127.0.0.1", live.port, timeout=20)
    asking.request("GET", f"/api/v1/pools/{pool.pk}/events?last_event_id=0", headers={"Last-Event-ID": "2"})
    assert Stream(asking.getresponse()).message()["id"] == 3
    asking.close()


def test_a_stream_ends_when_the_process_stops(live):
    with live.stream(PoolFactory()) as stream:
        assert stream.message()["type"] == "snapshot"
        assert live.stop() == 0
        assert stream.message() is None


@pytest.mark.parametrize(
    ("path", "method", "headers", "status", "code"),
    [
        ("/api/v1/pools/{draft}/events", "GET", {}, 404, "NOT_FOUND"),
        ("/api/v1/pools/99999999999999999/events", "GET", {}, 404, "NOT_FOUND"),
        ("/api/v1/pools/{pool}/events", "POST", {}, 405, "METHOD_NOT_ALLOWED"),
        ("/api/v1/pools/{pool}/events?last_event_id=-1", "GET", {}, 400, "VALIDATION_ERROR"),
        ("/api/v1/pools/{pool}/events", "GET", {"Origin": "https://elsewhere.example"}, 403, "FORBIDDEN"),
        ("/api/v1/pools", "GET", {}, 404, "NOT_FOUND"),
    ],
)
def test_what_cannot_be_streamed_is_answered_as_everywhere(live, path, method, headers, status, code):
    pool, draft = PoolFactory(), PoolFactory(status=PoolStatus.DRAFT)

    answered, _, body = live.ask(path.format(pool=pool.pk, draft=draft.pk), method, **headers)

    assert (answered, json.loads(body)["error"]["code"]) == (status, code)


def test_a_page_of_ours_may_read_the_stream(live, settings):
    with live.stream(PoolFactory(), Origin=settings.PUBLIC_URL) as stream:
        assert stream.headers["access-control-allow-origin"] == settings.PUBLIC_URL
