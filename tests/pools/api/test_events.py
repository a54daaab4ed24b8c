"""What the web server says to whoever asks it for what the live process tells."""

import pytest

from config.env import PROJECT
from config.live.sockets import CloseCode
from pools.models import EventKind, PoolStatus
from tests.factories.pools import PoolFactory


def test_the_web_server_sends_on_whoever_asks_it(client, settings, db):
    pool = PoolFactory()
    settings.LIVE_URL = "https://live.example"

    stream = client.get(f"/api/v1/pools/{pool.pk}/events?last_event_id=3")
    socket = client.get(f"/ws/pools/{pool.pk}?last_event_id=3")

    assert (stream.status_code, stream["Location"]) == (
        307, f"https://live.example/api/v1/pools/{pool.pk}/events?last_event_id=3",
    )  # fmt: skip
    assert (socket.status_code, socket["Location"]) == (307, f"https://live.example/ws/pools/{pool.pk}?last_event_id=3")


def test_where_a_proxy_should_have_known_better_the_web_server_says_so(client, settings, db):
    pool = PoolFactory()
    settings.LIVE_URL = ""

    for path in (f"/api/v1/pools/{pool.pk}/events", f"/ws/pools/{pool.pk}"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")


@pytest.mark.django_db
def test_a_draft_is_there_for_nobody_not_even_staff(api, moderator):
    pool = PoolFactory(status=PoolStatus.DRAFT)

    for caller in (api(), api(moderator)):
        assert caller.get(f"/api/v1/pools/{pool.pk}/events").status_code == 404


@pytest.mark.django_db
def test_a_number_that_is_none_is_refused(api):
    answer = api().get(f"/api/v1/pools/{PoolFactory().pk}/events?last_event_id=x")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


def test_the_page_on_live_updates_names_every_close_code_and_kind():
    text = (PROJECT / "docs" / "live.md").read_text()

    assert [code for code in CloseCode if f"| {int(code)} |" not in text] == []
    assert [kind for kind in EventKind.values if f"`{kind}`" not in text] == []
