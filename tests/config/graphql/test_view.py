"""Asking over HTTP: who may come in, how, and what refusals look like."""

import json
import logging
from contextlib import closing
from dataclasses import replace

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client

from accounts.services.blocking import deactivate_user
from config.api import ratelimit
from config.graphql.limits import LIMITS
from config.graphql.persisted import hash_of
from config.graphql.view import QUESTION
from tests.factories.accounts import AdminFactory, UserFactory
from tests.factories.pools import PoolFactory
from tests.security.matrix.people import bearer, caller, new_key
from tests.support.asking import PATH, ask, codes, refused, send

pytestmark = pytest.mark.django_db
ME = "{ me { id } }"


def test_an_answer_is_an_object_of_data_and_extensions(api, player):
    answer = send(api(player), ME)

    assert answer.status_code == 200
    assert answer.json()["data"] == {"me": {"id": player.pk}}
    assert set(answer.json()["extensions"]) == {"timestamp", "request_id"}
    assert answer["Cache-Control"] == "no-store"
    assert answer["Content-Type"] == "application/json"


def test_no_answer_is_kept_whoever_asked(api, player):
    for client in (api(), api(player)):
        for query in ("{ pools { total } }", "{ me { id } }", "{"):
            assert send(client, query)["Cache-Control"] == "no-store"


def test_who_asks_by_the_newer_media_type_is_answered_by_it(api, player):
    accept = {"Accept": "application/graphql-response+json, application/json;q=0.9"}
    for query, status in ((ME, 200), ("{", 400)):
        answer = send(api(player), query, headers=accept)
        assert answer.status_code == status
        assert answer["Content-Type"] == "application/graphql-response+json"
        assert set(answer.json()) & {"data", "errors"}


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete"])
def test_nothing_but_post_is_answered(api, player, method):
    answer = getattr(api(player), method)(PATH, {"query": ME})

    assert (answer.status_code, codes(answer)) == (405, ["METHOD_NOT_ALLOWED"])


@pytest.mark.parametrize(
    "kind", ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x", ""]
)
def test_a_body_that_a_form_of_another_site_could_send_is_refused(kind):
    answer = Client().generic("POST", PATH, json.dumps({"query": ME}), content_type=kind)

    assert answer.status_code in (400, 415)
    assert codes(answer) in (["UNSUPPORTED_MEDIA_TYPE"], ["PARSE_ERROR"], ["VALIDATION_ERROR"])


def test_the_cookie_of_staff_signs_nobody_in(admin_user):
    browser = Client()
    browser.force_login(admin_user)

    answer = browser.post(PATH, {"query": ME}, content_type="application/json")

    assert codes(answer) == ["NOT_AUTHENTICATED"]


@pytest.mark.parametrize(
    "body",
    [[], [{"query": ME}], [{"query": ME}, {"query": ME}], "text", 7, None, {}, {"query": ""}, {"query": 7},
     {"query": ME, "variables": []}, {"query": ME, "operationName": 7}, {"query": ME, "extensions": "x"},
     {"query": ME, "strange": 1}],
)  # fmt: skip
def test_anything_but_one_question_is_refused(api, player, body):
    answer = api(player).post(PATH, body, format="json")

    assert (answer.status_code, codes(answer)) == (400, ["VALIDATION_ERROR"])


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"query": "{me{id}}", "query": "{me{id}}"}', b"\xff\xfe", b'{"query": NaN}']
)
def test_a_body_that_means_nothing_or_two_things_is_refused(api, player, body):
    answer = api(player).generic("POST", PATH, body, content_type="application/json")

    assert answer.status_code == 400
    assert codes(answer)[0] in ("PARSE_ERROR", "VALIDATION_ERROR")


@pytest.mark.parametrize(
    "query",
    ["mutation { me { id } }", "subscription { me { id } }", "{ me { id } } { me { id } }",
     "query a { me { id } } query b { me { id } }", "fragment a on Me { id }", "{ nothing }", "{ me }",
     "{ me { password } }",
     "{ me(id: 1) { id } }", "{ pool { id } }", "query ($a: Nothing) { me { id } }", "query ($a: Int) { me { id } }",
     "{ me { id @nothing } }", "{ me { ...absent } }"],
)  # fmt: skip
def test_what_does_not_fit_the_schema_is_refused_whole(api, player, query):
    answer = send(api(player), query)

    assert (answer.status_code, codes(answer)) == (400, ["VALIDATION_ERROR"])


def test_a_text_that_is_no_query_is_a_parse_error_with_its_place(api):
    answer = send(api(), "{ me { id }")

    assert (answer.status_code, codes(answer)) == (400, ["PARSE_ERROR"])
    assert answer.json()["errors"][0]["extensions"]["details"] == {"query": ["line 1, column 12"]}


@pytest.mark.parametrize(
    ("query", "variables"),
    [
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {}),
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {"id": "1"}),
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {"id": -1}),
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {"id": 2**63}),
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {"id": True}),
        ("query ($id: BigInt!) { pool(id: $id) { id } }", {"id": 1.5}),
        ("query ($s: PoolStatus) { pools(status: $s) { total } }", {"s": "nothing"}),
        ("query ($s: PoolStatus) { pools(status: $s) { total } }", {"s": {"a": 1}}),
        ("query ($s: String) { pools(search: $s) { total } }", {"s": 7}),
        ("query ($s: String) { pools(search: $s) { total } }", {"s": "a\x00b"}),
        ("query ($s: String) { pools(search: $s) { total } }", {"s": "a" * 101}),
        ('{ pools(search: "a\\u0000b") { total } }', {}),
        ("{ pool(id: 99999999999999999999) { id } }", {}),
        ('{ competition(code: "\\u0000") { code } }', {}),
        ('{ pools(after: "nonsense") { nodes { id } } }', {}),
        ('{ pools(after: "\\u202e") { nodes { id } } }', {}),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_is_refused(api, query, variables):
    assert refused(api(), query, **variables) == ["VALIDATION_ERROR"]


def test_any_text_that_can_be_is_looked_for(api):
    for text in ("%", "_", "'; DROP TABLE pools_pool; --", "ﷺ", "\U0001f3c8", "\u202e", "a\nb", "\\"):
        assert ask(api(), "query ($s: String) { pools(search: $s) { total } }", s=text) == {"pools": {"total": 0}}


def test_half_a_character_is_refused(api):
    body = b'{"query": "query ($s: String) { pools(search: $s) { total } }", "variables": {"s": "\\ud800"}}'
    answer = api().generic("POST", PATH, body, content_type="application/json")
    assert (answer.status_code, codes(answer)) == (400, ["PARSE_ERROR"])
    assert refused(api(), '{ pools(search: "\\uD800") { total } }') == ["PARSE_ERROR"]


def test_a_refused_field_is_null_and_the_rest_is_answered(api):
    pool = PoolFactory()

    answer = send(api(), f"{{ pool(id: {pool.pk}) {{ id }} gone: pool(id: 0) {{ id }} me {{ id }} }}")

    assert answer.status_code == 200
    assert answer.json()["data"] == {"pool": {"id": pool.pk}, "gone": None, "me": None}
    assert [(error["path"], error["extensions"]["code"]) for error in answer.json()["errors"]] == [
        (["gone"], "NOT_FOUND"),
        (["me"], "NOT_AUTHENTICATED"),
    ]


def test_refusals_are_worded_as_over_rest(api, player):
    rest = api(player).get("/api/v1/pools/0").json()["error"]

    (told,) = send(api(player), "{ pool(id: 0) { id } }").json()["errors"]

    assert (told["message"], told["extensions"]) == (
        rest["message"],
        {"code": rest["code"], "details": rest["details"]},
    )


def test_a_caller_is_refused_in_their_language(api):
    (told,) = send(api(), ME, headers={"Accept-Language": "de"}).json()["errors"]

    assert told["message"] == api().get("/api/v1/me", headers={"Accept-Language": "de"}).json()["error"]["message"]


class TestCredentials:
    def test_a_token_signs_in(self, player):
        assert ask(caller(bearer(player)), ME)["me"]["id"] == player.pk

    @pytest.mark.parametrize("text", ["Bearer nonsense", "Bearer a.b.c", "Api-Key ol_nothing_at_all"])
    def test_bad_ones_are_refused_even_for_what_is_public(self, text):
        answer = send(caller(text), "{ pools { total } }")

        assert (answer.status_code, codes(answer)) == (401, ["TOKEN_INVALID"])
        assert "WWW-Authenticate" in answer

    def test_a_deactivated_person_is_refused_at_once(self, player):
        client = caller(bearer(player))
        deactivate_user(user=player, by=AdminFactory(), reason="Asked.")

        assert codes(send(client, ME)) == ["TOKEN_INVALID"]

    def test_a_key_is_told_what_its_scopes_hold(self):
        user = UserFactory()
        client = caller(f"Api-Key {new_key(user, ['pools:read']).text}")

        assert ask(client, "{ pools { total nodes { rules { text } } pageInfo { endCursor } } }")["pools"]["total"] == 0
        for query, scope in (
            (ME, "account:read"),
            ("{ entries { total } }", "entries:read"),
            ("{ requests { pageInfo { endCursor } } }", "requests:read"),
            ("{ payments { total } }", "payments:read"),
            ("{ pools { nodes { id } } ...a } fragment a on Query { entries { total } }", "entries:read"),
            ("{ pool(id: 1) { myEntries { id } } }", "entries:read"),
            ("{ me { id @skip(if: true) } }", "account:read"),
        ):
            answer = send(client, query)
            assert (answer.status_code, codes(answer)) == (403, ["SCOPE_MISSING"])
            assert answer.json()["errors"][0]["extensions"]["details"] == {"scope": scope}

    def test_picks_of_an_entry_need_a_scope_of_their_own(self):
        client = caller(f"Api-Key {new_key(UserFactory(), ['entries:read', 'pools:read']).text}")

        assert ask(client, "{ entries { total nodes { id pool { name } } } }")["entries"]["total"] == 0
        assert refused(client, "{ entries { nodes { picks { round } } } }") == ["SCOPE_MISSING"]
        assert refused(client, "{ entries { nodes { request { id } } } }") == ["SCOPE_MISSING"]


class TestLimits:
    def test_a_caller_may_ask_so_many_questions_a_minute(self, api, player, settings):
        settings.RATE_LIMIT_SCALE = 1
        for _ in range(QUESTION.limit - 1):
            ratelimit.count(QUESTION, f"user {player.pk}", HttpRequest())

        last, over = send(api(player), ME), send(api(player), ME)

        assert (last.status_code, last["X-RateLimit-Limit"], last["X-RateLimit-Remaining"]) == (200, "300", "0")
        assert (over.status_code, codes(over)) == (429, ["RATE_LIMITED"])
        assert int(over["Retry-After"]) > 0

    def test_what_is_refused_counts_as_well(self, api, player, settings):
        settings.RATE_LIMIT_SCALE = 1
        assert send(api(player), "{")["X-RateLimit-Remaining"] == "299"


class TestTrouble:
    def test_the_log_names_a_question_by_its_hash_and_not_by_its_words(self, api, player, caplog):
        caplog.set_level(logging.INFO)

        ask(api(player), "query VeryOwnName { me { id } }")

        (line,) = [record for record in caplog.records if getattr(record, "route", "") == "graphql"]
        assert line.operation == f"graphql {hash_of('query VeryOwnName { me { id } }')[:16]}"
        assert "VeryOwnName" not in str(vars(line))

    def test_a_crash_is_told_without_its_words(self, api, player, monkeypatch):
        def explode(*_, **__):
            raise RuntimeError("the secret of the house")

        monkeypatch.setattr("entries.graphql.places.used_by", explode)
        from tests.factories.entries import EntryFactory

        EntryFactory(owner=player)
        client = api(player)
        client.raise_request_exception = False

        answer = send(client, "{ me { id } entries { nodes { teamsUsed } } }")

        assert "secret" not in answer.content.decode()
        assert codes(answer) == ["INTERNAL_ERROR"]
        assert answer.json()["data"] == {"me": {"id": player.pk}, "entries": None}

    @pytest.mark.django_db(transaction=True)
    def test_a_statement_that_takes_too_long_is_told_as_over_rest(self, api, player):
        """The database's own limit: another connection keeps the table of entries from everybody meanwhile."""
        client = api(player)
        with closing(connection.copy()) as other, other.cursor() as holder:
            holder.execute("BEGIN")
            holder.execute("LOCK TABLE entries_entry IN ACCESS EXCLUSIVE MODE")
            with connection.cursor() as cursor:
                cursor.execute("SET statement_timeout = 50")
            answer = send(client, "{ me { id } entries { nodes { id } } }")
            rest = client.get("/api/v1/entries")
            with connection.cursor() as cursor:
                cursor.execute("RESET statement_timeout")

        (told,) = answer.json()["errors"]
        assert answer.json()["data"] == {"me": {"id": player.pk}, "entries": None}
        assert (told["message"], told["extensions"]["code"]) == (
            rest.json()["error"]["message"],
            "SERVICE_UNAVAILABLE",
        )

    def test_a_question_that_took_too_long_is_not_looked_up_any_further(self, api, player, monkeypatch):
        monkeypatch.setattr("config.graphql.context.LIMITS", replace(LIMITS, seconds=-1.0))

        assert refused(api(player), "{ me { id } entries { total } }") == ["SERVICE_UNAVAILABLE"]
