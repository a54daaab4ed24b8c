"""Lists by page and by cursor."""

from datetime import UTC, datetime, timedelta

import pytest

from config.models import OutboxMessage

LIST = "/api/v1/sample/messages"
BY_TIME = "/api/v1/sample/messages-by-time"
NEWEST = "/api/v1/sample/newest-messages"

pytestmark = pytest.mark.django_db


def pagination(answer):
    return answer.json()["meta"]["pagination"]


def keys(answer):
    return [item["key"] for item in answer.json()["data"]]


def test_the_first_page_is_the_default(client, outbox_rows):
    answer = client.get(LIST)
    assert pagination(answer) == {"page": 1, "limit": 20, "total": 7, "next_cursor": None}
    assert keys(answer) == list("0123456")


def test_pages_follow_one_another(client, outbox_rows):
    assert keys(client.get(f"{LIST}?limit=3&page=2")) == ["3", "4", "5"]
    assert keys(client.get(f"{LIST}?limit=3&page=3")) == ["6"]
    third = pagination(client.get(f"{LIST}?limit=3&page=3"))
    assert third == {"page": 3, "limit": 3, "total": 7, "next_cursor": None}


def test_page_past_the_end_is_empty(client, outbox_rows):
    assert keys(client.get(f"{LIST}?page=9999999")) == []


def test_filter_counts_what_it_lets_through(client, outbox_rows):
    assert pagination(client.get(f"{LIST}?kind=a"))["total"] == 2


@pytest.mark.parametrize("name", ["page", "limit"])
@pytest.mark.parametrize("value", ["0", "-1", "a", "1.5", "", " 1", "1e3", "٣", "10000000000000000000"])
def test_junk_is_400(client, name, value):
    answer = client.get(LIST, {name: value})
    assert answer.status_code == 400
    assert list(answer.json()["error"]["details"]) == [name]


def test_limit_has_a_ceiling(client):
    assert client.get(f"{LIST}?limit=100").status_code == 200
    assert client.get(f"{LIST}?limit=101").status_code == 400


@pytest.mark.parametrize("rows", [1, 3])
def test_a_list_asks_twice_however_long(client, rows, django_assert_num_queries):
    OutboxMessage.objects.bulk_create([OutboxMessage(kind="a", key=str(n)) for n in range(rows)])
    with django_assert_num_queries(2):
        client.get(LIST)


def walk(client, address, limit=2):
    """All keys by cursor, starting with the first page."""
    answer = client.get(f"{address}limit={limit}")
    found, cursor = keys(answer), pagination(answer)["next_cursor"]
    while cursor is not None:
        answer = client.get(f"{address}limit={limit}&cursor={cursor}")
        found, cursor = found + keys(answer), pagination(answer)["next_cursor"]
    return found


def test_a_short_list_is_walked_by_cursor_too(client, outbox_rows):
    assert walk(client, f"{LIST}?") == list("0123456")
    cursor = pagination(client.get(f"{LIST}?limit=5"))["next_cursor"]
    last = client.get(f"{LIST}?limit=5&cursor={cursor}")
    assert (keys(last), pagination(last)) == (["5", "6"], {"limit": 5, "next_cursor": None})


def test_the_usual_order_can_be_turned_round(client, outbox_rows):
    newest = walk(client, f"{NEWEST}?")
    assert walk(client, f"{NEWEST}?order=newest&") == newest
    assert walk(client, f"{NEWEST}?order=oldest&") == newest[::-1]


def test_a_cursor_of_one_order_is_none_of_the_other(client, outbox_rows):
    cursor = pagination(client.get(f"{NEWEST}?limit=2"))["next_cursor"]
    assert client.get(f"{NEWEST}?limit=2&order=oldest&cursor={cursor}").status_code == 400


@pytest.mark.parametrize(("address", "order"), [(NEWEST, "id"), (NEWEST, ""), (BY_TIME, "oldest"), (LIST, "newest")])
def test_an_order_that_a_list_has_not_is_refused(client, address, order):
    answer = client.get(address, {"order": order})
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["order"])


def test_a_walk_by_cursor_sees_every_row_once_in_order(client):
    base = datetime(2026, 1, 1, tzinfo=UTC)
    # Several rows of one instant: the second field of the ordering decides among them.
    for number in range(9):
        OutboxMessage.objects.create(kind="a", key=str(number), created_at=base + timedelta(microseconds=number // 3))
    assert walk(client, f"{BY_TIME}?") == list("678345012")


def test_rows_that_come_and_go_do_not_disturb_a_walk(client, outbox_rows):
    answer = client.get(f"{BY_TIME}?limit=3")
    seen, cursor = keys(answer), pagination(answer)["next_cursor"]
    OutboxMessage.objects.create(kind="a", key="newer")
    OutboxMessage.objects.filter(key=seen[0]).delete()
    rest = keys(client.get(f"{BY_TIME}?limit=100&cursor={cursor}"))
    assert sorted(seen + rest) == list("0123456")


def test_with_a_cursor_nothing_is_counted(client, outbox_rows, django_assert_num_queries):
    cursor = pagination(client.get(f"{BY_TIME}?limit=3"))["next_cursor"]
    with django_assert_num_queries(1):
        answer = client.get(f"{BY_TIME}?limit=3&cursor={cursor}")
    assert set(pagination(answer)) == {"limit", "next_cursor"}


def test_the_last_page_has_no_next_cursor(client, outbox_rows):
    assert pagination(client.get(f"{BY_TIME}?limit=7"))["next_cursor"] is None
    assert pagination(client.get(f"{BY_TIME}?limit=6"))["next_cursor"] is not None
    assert pagination(client.get(f"{BY_TIME}?kind=none"))["next_cursor"] is None


def test_forged_cursor_is_400(client, outbox_rows):
    cursor = pagination(client.get(f"{BY_TIME}?limit=3"))["next_cursor"]
    for forged in ["x", "", cursor[:-1], cursor[1:], cursor.replace(":", "", 1)]:
        answer = client.get(BY_TIME, {"cursor": forged})
        assert answer.status_code == 400
        assert list(answer.json()["error"]["details"]) == ["cursor"]


def test_cursor_of_another_filter_is_400(client, outbox_rows):
    cursor = pagination(client.get(f"{BY_TIME}?limit=1&kind=a"))["next_cursor"]
    assert client.get(f"{BY_TIME}?kind=b&cursor={cursor}").status_code == 400
    assert client.get(f"{BY_TIME}?cursor={cursor}").status_code == 400
    assert client.get(f"{BY_TIME}?kind=a&cursor={cursor}&limit=5").status_code == 200


def test_cursor_of_another_caller_is_400(signed_in, player, stranger, outbox_rows):
    cursor = pagination(signed_in(player).get(f"{BY_TIME}?limit=1"))["next_cursor"]
    assert signed_in(player).get(f"{BY_TIME}?cursor={cursor}").status_code == 200
    assert signed_in(stranger).get(f"{BY_TIME}?cursor={cursor}").status_code == 400
