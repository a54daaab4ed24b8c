import pytest

from config.api.parameters import TWICE, UNKNOWN

LIST = "/api/v1/sample/messages"


@pytest.mark.parametrize("query", ["limit=1&limit=1", "limit=1&limit=2", "limit=1&limit="])
def test_a_parameter_that_is_given_twice_is_refused_by_name(client, outbox_rows, query):
    answer = client.get(f"{LIST}?{query}&page=1")
    assert (answer.status_code, answer.json()["error"]["details"]) == (400, {"limit": [TWICE]})


def test_what_is_not_known_is_named_beside_what_is_given_twice(client, outbox_rows):
    answer = client.get(f"{LIST}?limit=1&limit=2&other=1&other=2")
    assert answer.json()["error"]["details"] == {"limit": [TWICE], "other": [UNKNOWN]}


def test_the_fields_asked_for_may_come_in_parts(client, outbox_rows):
    answer = client.get(f"{LIST}?fields=id&fields=kind")
    assert answer.status_code == 200
    assert set(answer.json()["data"][0]) == {"id", "kind"}
