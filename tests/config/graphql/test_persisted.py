"""Questions that are known by their hash."""

import pytest
from django.core.cache import caches

from config.graphql import persisted
from config.graphql.persisted import PLACES, hash_of
from tests.support.asking import PATH, codes, send

pytestmark = pytest.mark.django_db
ME = "{ me { id } }"


@pytest.fixture(autouse=True)
def nothing_kept():
    caches["default"].clear()


def by_hash(client, sha256, **body):
    return client.post(
        PATH, {"extensions": {"persistedQuery": {"version": 1, "sha256Hash": sha256}}, **body}, format="json"
    )


def test_a_question_that_was_sent_with_its_hash_is_known_by_it(api, player):
    first = by_hash(api(player), hash_of(ME))
    assert (first.status_code, codes(first)) == (404, ["PERSISTED_QUERY_NOT_FOUND"])
    assert first.json()["errors"][0]["message"] == "PersistedQueryNotFound"

    assert by_hash(api(player), hash_of(ME), query=ME).status_code == 200

    assert by_hash(api(player), hash_of(ME)).json()["data"] == {"me": {"id": player.pk}}


def test_each_caller_of_a_known_question_is_answered_for_themselves(api, player, stranger):
    by_hash(api(player), hash_of(ME), query=ME)

    assert by_hash(api(stranger), hash_of(ME)).json()["data"] == {"me": {"id": stranger.pk}}
    assert codes(by_hash(api(), hash_of(ME))) == ["NOT_AUTHENTICATED"]


def test_a_hash_that_is_not_the_texts_is_refused_and_nothing_is_kept(api, player):
    wrong = hash_of("{ pools { total } }")

    assert codes(by_hash(api(player), wrong, query=ME)) == ["VALIDATION_ERROR"]
    assert codes(by_hash(api(player), wrong)) == ["PERSISTED_QUERY_NOT_FOUND"]


def test_what_was_put_into_the_store_by_somebody_else_is_not_answered(api, player):
    caches["default"].set(persisted._place(hash_of(ME)), "{ pools { total } }")

    assert codes(by_hash(api(player), hash_of(ME))) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize("bad", ["{ nothing }", "{", "{ me { id ...a } } fragment a on Me { ...a }"])
def test_a_question_that_is_refused_is_not_kept(api, player, bad):
    assert by_hash(api(player), hash_of(bad), query=bad).status_code == 400

    assert codes(by_hash(api(player), hash_of(bad))) == ["PERSISTED_QUERY_NOT_FOUND"]


@pytest.mark.parametrize(
    "said",
    [7, "x", [], {"version": 1}, {"version": 2, "sha256Hash": hash_of(ME)}, {"version": 1, "sha256Hash": "abc"},
     {"version": 1, "sha256Hash": hash_of(ME).upper()}, {"version": 1, "sha256Hash": 7},
     {"version": 1, "sha256Hash": hash_of(ME) + "\n"}],
)  # fmt: skip
def test_a_malformed_hash_is_refused(api, player, said):
    answer = api(player).post(PATH, {"query": ME, "extensions": {"persistedQuery": said}}, format="json")

    assert (answer.status_code, codes(answer)) == (400, ["VALIDATION_ERROR"])


def test_the_store_has_so_many_places_and_no_more():
    assert len({persisted._place(hash_of(str(number))) for number in range(50_000)}) <= PLACES


def test_without_redis_a_question_is_answered_and_not_kept(api, player, settings):
    settings.CACHES = {
        **settings.CACHES,
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1/0"},
    }

    assert by_hash(api(player), hash_of(ME), query=ME).json()["data"] == {"me": {"id": player.pk}}
    assert codes(by_hash(api(player), hash_of(ME))) == ["PERSISTED_QUERY_NOT_FOUND"]


class TestListedOnly:
    @pytest.fixture(autouse=True)
    def listed_only(self, settings):
        settings.GRAPHQL_QUERIES = "listed"

    def test_a_listed_question_is_answered_by_its_text_and_by_its_hash(self, api, player):
        text = (persisted.LISTED / "me.graphql").read_text()

        assert send(api(player), text).json()["data"]["me"]["id"] == player.pk
        assert by_hash(api(player), hash_of(text)).json()["data"]["me"]["id"] == player.pk

    def test_any_other_is_refused_and_not_kept(self, api, player, settings):
        answer = by_hash(api(player), hash_of(ME), query=ME)
        assert (answer.status_code, codes(answer)) == (403, ["FORBIDDEN"])
        assert codes(send(api(player), ME)) == ["FORBIDDEN"]

        settings.GRAPHQL_QUERIES = "any"
        assert codes(by_hash(api(player), hash_of(ME))) == ["PERSISTED_QUERY_NOT_FOUND"]

    def test_what_was_kept_before_is_refused(self, api, player, settings):
        settings.GRAPHQL_QUERIES = "any"
        by_hash(api(player), hash_of(ME), query=ME)

        settings.GRAPHQL_QUERIES = "listed"

        assert codes(by_hash(api(player), hash_of(ME))) == ["FORBIDDEN"]
