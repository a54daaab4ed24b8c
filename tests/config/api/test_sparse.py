"""Asking for some fields alone."""

import jsonschema_rs
import pytest

from config.models import OutboxMessage
from tests.config.api.conftest import SAMPLE
from tests.support.contract import schema_of

pytestmark = pytest.mark.django_db

CARD = "/api/v1/sample/card"
LIST = "/api/v1/sample/messages"


def data(client, fields, address=CARD):
    return client.get(address, {"fields": fields}).json()["data"]


def test_only_what_is_asked_for_comes_in_the_order_of_the_answer(client):
    assert list(data(client, "name,id")) == ["id", "name"]


def test_dots_lead_into_objects_and_lists_of_them(client):
    assert data(client, "rules.version,rounds.version") == {
        "rules": {"version": 3},
        "rounds": [{"version": 1}, {"version": 2}],
    }


@pytest.mark.parametrize("fields", ["rules,rules.version", "rules.version,rules"])
def test_the_whole_of_something_is_the_whole(client, fields):
    assert data(client, fields) == {"rules": {"version": 3, "text": ["x"]}}


def test_spaces_and_repetition_do_no_harm(client):
    assert client.get(f"{CARD}?fields=id,%20name&fields=id").json()["data"] == {"id": 7, "name": "Card"}


@pytest.mark.parametrize("fields", ["nme", "id,rules.nme", "", "id,", "rules.", ".id", "id.more", "__class__"])
def test_a_name_that_the_answer_does_not_have_is_refused_with_those_that_it_has(client, fields):
    answer = client.get(CARD, {"fields": fields})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "VALIDATION_ERROR")
    (said,) = answer.json()["error"]["details"]["fields"]
    assert said.endswith("Known are: id, name, rules, rules.version, rules.text, rounds, rounds.version, rounds.text.")


def test_a_very_long_list_of_strange_names_is_not_given_back(client):
    (said,) = client.get(CARD, {"fields": "x" * 5000}).json()["error"]["details"]["fields"]
    assert len(said) < 400


def test_each_item_of_a_list_has_them_and_the_page_stays(client):
    OutboxMessage.objects.bulk_create([OutboxMessage(kind="a", key=str(number)) for number in range(3)])
    answer = client.get(LIST, {"fields": "kind", "limit": 2}).json()
    assert answer["data"] == [{"kind": "a"}, {"kind": "a"}]
    pagination = answer["meta"]["pagination"]
    assert pagination.pop("next_cursor")
    assert pagination == {"page": 1, "limit": 2, "total": 3}


def test_one_item_has_them(client):
    made = OutboxMessage.objects.create(kind="a", key="k")
    assert data(client, "key", f"{LIST}/{made.pk}") == {"key": "k"}


def test_another_choice_has_another_tag(client):
    assert client.get(f"{CARD}?fields=id")["ETag"] != client.get(f"{CARD}?fields=name")["ETag"]


@pytest.mark.parametrize("path", ["big", "big-file"])
def test_what_is_no_such_answer_knows_no_such_parameter(client, path):
    answer = client.get(f"/api/v1/sample/{path}?fields=text")
    assert (answer.status_code, list(answer.json()["error"]["details"])) == (400, ["fields"])


def test_the_schema_names_what_may_be_asked_for():
    parameters = schema_of(SAMPLE)["paths"][CARD]["get"]["parameters"]
    (fields,) = [one for one in parameters if one.get("name") == "fields"]
    assert (fields["in"], fields["explode"], fields["schema"]["type"]) == ("query", False, "array")
    assert set(fields["schema"]["items"]["enum"]) == {
        "id", "name", "rules", "rules.version", "rules.text", "rounds", "rounds.version", "rounds.text",
    }  # fmt: skip


def test_the_schema_says_that_nothing_of_an_item_has_to_be_there():
    schema = schema_of(SAMPLE)
    whole, sparse = schema["paths"][LIST]["get"]["responses"]["200"]["content"]["application/json"]["schema"]["anyOf"]
    items = {
        "data": [{"kind": "a"}],
        "success": True,
        "meta": {"timestamp": "2026-09-10T00:20:00Z", "request_id": "1", "pagination": {"limit": 1}},
    }

    def fits(described):
        return jsonschema_rs.is_valid({**described, "components": schema["components"]}, items)

    assert (fits(whole), fits(sparse)) == (False, True)
