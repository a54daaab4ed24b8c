"""ETag and If-None-Match on what is read."""

import re
from datetime import UTC, datetime, timedelta

import pytest
import time_machine

from config.api.conditional import has_already
from config.models import OutboxMessage

pytestmark = pytest.mark.django_db

ECHO = "/api/v1/sample/echo"
LIST = "/api/v1/sample/messages"


def message(key):
    return OutboxMessage.objects.create(kind="sample", key=key)


@pytest.mark.parametrize(
    ("given", "is_named"),
    [
        ('W/"abc"', True),
        ('"abc"', True),
        ('"x", W/"abc" , "y"', True),
        ("*", True),
        ('W/"abcd"', False),
        ("abc", False),
        ('"*"', False),
        ("", False),
        (None, False),
        ('"unfinished', False),
    ],
)
def test_a_tag_is_compared_weakly_with_each_that_is_named(given, is_named):
    assert has_already(given, 'W/"abc"') is is_named


def test_what_is_read_has_a_weak_tag_that_stays_while_the_data_does(client):
    first, second = client.get(ECHO), client.get(ECHO)
    assert re.fullmatch(r'W/"[0-9a-f]{32}"', first["ETag"])
    assert first["ETag"] == second["ETag"]
    assert first.json()["meta"]["request_id"] != second.json()["meta"]["request_id"]


def test_what_the_caller_has_already_is_not_sent_again(client):
    tag = client.get(ECHO)["ETag"]
    answer = client.get(ECHO, headers={"If-None-Match": f'"other", {tag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer["ETag"] == tag
    assert answer["Cache-Control"] == "public, no-cache"
    assert "Authorization" in answer["Vary"]
    assert answer.has_header("X-RateLimit-Remaining")
    assert not any(answer.has_header(name) for name in ("Content-Type", "Content-Length", "Content-Encoding"))


def test_another_tag_gets_the_whole_answer(client):
    answer = client.get(ECHO, headers={"If-None-Match": 'W/"0123"'})
    assert (answer.status_code, answer.json()["data"]) == (200, {"text": "hello"})


def test_the_tag_changes_with_the_data(client):
    message("a")
    before = client.get(LIST)["ETag"]
    message("b")
    assert client.get(LIST)["ETag"] != before


def test_the_tag_of_a_page_changes_with_the_total_alone(client):
    message("a")
    before = client.get(f"{LIST}?limit=1")
    message("b")
    after = client.get(f"{LIST}?limit=1")
    assert before.json()["data"] == after.json()["data"]
    assert before["ETag"] != after["ETag"]


def test_the_same_place_in_a_list_keeps_its_cursor_and_its_tag(client):
    message("a")
    message("b")
    address = "/api/v1/sample/messages-by-time?limit=1"
    before = client.get(address)
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=5)):
        after = client.get(address)
    assert before.json()["meta"]["pagination"]["next_cursor"] == after.json()["meta"]["pagination"]["next_cursor"]
    assert before["ETag"] == after["ETag"]


def test_head_says_the_same_and_sends_nothing(client):
    got, head = client.get(ECHO), client.head(ECHO)
    assert (head.status_code, head["ETag"], head.content) == (200, got["ETag"], b"")
    assert client.head(ECHO, headers={"If-None-Match": got["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["private", "raise/missing", "raise/crash"])
def test_an_error_has_no_tag_and_is_never_a_304(client, path):
    client.raise_request_exception = False
    answer = client.get(f"/api/v1/sample/{path}", headers={"If-None-Match": "*"})
    assert answer.status_code >= 400
    assert not answer.has_header("ETag")


def test_what_is_written_has_no_tag_and_ignores_the_condition(client):
    answer = client.post(ECHO, {"text": "a"}, headers={"If-None-Match": "*"})
    assert answer.status_code == 201
    assert not answer.has_header("ETag")


def test_what_is_somebodys_is_kept_by_nobody_but_has_a_tag(signed_in, player):
    answer = signed_in(player).get("/api/v1/sample/private")
    assert answer["Cache-Control"] == "no-store"
    again = signed_in(player).get("/api/v1/sample/private", headers={"If-None-Match": answer["ETag"]})
    assert (again.status_code, again["Cache-Control"]) == (304, "no-store")


def test_two_callers_with_other_data_have_other_tags(signed_in, player, stranger):
    mine = signed_in(player).get("/api/v1/sample/private")["ETag"]
    answer = signed_in(stranger).get("/api/v1/sample/private", headers={"If-None-Match": mine})
    assert answer.status_code == 200


def test_the_schema_has_a_tag_too(client):
    tag = client.get("/api/v1/schema/")["ETag"]
    assert client.get("/api/v1/schema/", headers={"If-None-Match": tag}).status_code == 304
