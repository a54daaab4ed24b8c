"""Rows of the checklist about the doors as such: bodies, methods, headers, where callers come from, room, caches."""

import random
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from rest_framework.serializers import IntegerField, ListField, ListSerializer
from rest_framework.test import APIClient

from accounts.services import sessions
from config.api.operations import UNSET, operation_of
from config.api.parsers import MAX_ITEMS
from config.api.ratelimit import TOKEN_TRY
from tests.config.web.test_gate import OTHER, Application, call, gate_of, sent, until, waiting_in
from tests.config.web.test_headers import NOTHING, SAFE, general, policy_in
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.security.routes import api_routes, walk

pytestmark = pytest.mark.django_db

SIGN_IN, VERIFY = "/api/v1/auth/token", "/api/v1/auth/verify-email"


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def operations():
    """Every operation of the API: its route, its verb, what it promises."""
    for route in api_routes():
        for verb in route.verbs:
            made = route.view(**route.pattern.callback.initkwargs)
            made.action = (getattr(route.pattern.callback, "actions", None) or {}).get(verb.lower(), verb.lower())
            yield route, verb, operation_of(made, verb)


def peak_megabytes():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


class TestRow16:
    """Bodies that are too large, too deep, too long or too big a number are refused within bounded work."""

    HOSTILE = (
        ("10 MB", b'{"email": "' + b"x" * 10_000_000 + b'"}', 413, "PAYLOAD_TOO_LARGE"),
        ("10,000 deep", b'{"email":' * 10_000 + b"1" + b"}" * 10_000, 400, "PARSE_ERROR"),
        ("a megabyte of brackets", b"[" * 1_000_000, 400, "PARSE_ERROR"),
        ("100,000 items", b'{"email": [' + b"1," * 100_000 + b"1]}", 400, "PARSE_ERROR"),
        ("100,000 names", b"{" + b",".join(b'"%d":1' % n for n in range(90_000)) + b"}", 400, "PARSE_ERROR"),
        ("a million digits", b'{"email": ' + b"9" * 1_000_000 + b"}", 400, "PARSE_ERROR"),
        ("4,000 digits", b'{"email": ' + b"9" * 4_000 + b"}", 400, "PARSE_ERROR"),
        ("past any float", b'{"email": 1e999}', 400, "PARSE_ERROR"),
    )

    @pytest.mark.parametrize(("what", "body", "status", "code"), HOSTILE, ids=[one[0] for one in HOSTILE])
    def test_row_16_hostile_bodies(self, client, what, body, status, code):
        client.post(SIGN_IN, b"{", content_type="application/json")
        peak = peak_megabytes()
        took = []
        for _ in range(3):
            began = time.perf_counter()
            answer = client.post(SIGN_IN, body, content_type="application/json")
            took.append(time.perf_counter() - began)
            assert code_of(answer) == (status, code)
        assert min(took) < 2  # what grows with the square takes minutes
        assert peak_megabytes() - peak < 60

    def test_row_16_chunked_bodies_are_read_to_the_limit_alone(self):
        class Endless:
            given = 0

            def read(self, size):
                self.given += size
                return b" " * size

        seen = {}

        def application(environ, start_response):
            seen["length"] = int(environ["CONTENT_LENGTH"])
            start_response("413 Too Large", [])
            return [b""]

        source = Endless()
        gate = gate_of(application, body_limit=settings.API_BODY_LIMIT)
        call(gate, OTHER, HTTP_TRANSFER_ENCODING="chunked", **{"wsgi.input": source})
        assert source.given == seen["length"] == settings.API_BODY_LIMIT + 1

    def test_row_16_a_number_past_any_column_is_refused_in_every_query(self, api):
        """Every whole number that a query may hold, and one too big for PostgreSQL."""
        caller, tried = api(AdminFactory()), 0
        for route, verb, promised in operations():
            if verb != "GET" or promised.query is None:
                continue
            fields = promised.query().fields
            for name in [name for name, field in fields.items() if isinstance(field, IntegerField)]:
                for number in ("9" * 19, "9" * 40, "-" + "9" * 30, "9" * 5000):
                    answer = caller.get(route.path(), {name: number})
                    assert answer.status_code < 500, (route.template, name, number)
                    tried += 1
        assert tried > 10

    def test_row_16_no_list_takes_more_than_a_body_may_hold(self):
        unbounded = []
        for route, verb, promised in operations():
            if promised.body in (None, UNSET):
                continue
            for name, field in promised.body().fields.items():
                if isinstance(field, ListField | ListSerializer) and not 0 < (field.max_length or 0) <= MAX_ITEMS:
                    unbounded.append((route.template, verb, name))
        assert unbounded == []


class TestRow23:
    """Methods nobody listed."""

    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "MKCOL"])
    def test_row_23_they_are_405_on_every_route(self, client, method):
        tried = 0
        for route in walk():
            answer = client.generic(method, route.path())
            assert code_of(answer) == (405, "METHOD_NOT_ALLOWED"), route.template
            tried += 1
        assert tried > 150


class TestRow24:
    """Headers, and other origins."""

    def test_row_24_a_foreign_origin_is_told_nothing_even_with_credentials(self, client):
        for path in ("/api/v1/pools", "/api/v1/me", "/admin/login/"):
            answer = client.get(path, headers={"Origin": "https://evil.example", "Authorization": "Bearer x"})
            assert [name for name in answer.headers if name.lower().startswith("access-control")] == []

    def test_row_24_exact_headers(self, client):
        answer = client.get("/api/v1/pools")
        assert policy_in(answer) == NOTHING
        kept = {"Cache-Control": "public, no-cache", "Vary": "Authorization, Accept-Encoding, origin"}
        assert general(answer) == SAFE | kept


class TestRow35:
    """Whoever makes up where they come from is still counted as themselves."""

    NAMES = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP", "CF-Connecting-IP", "Via")

    def spoofed(self):
        address = ".".join(str(random.randrange(1, 255)) for _ in range(4))
        value = {"Forwarded": f"for={address}", "X-Forwarded-For": f"{address}, 10.0.0.1"}
        return {name: value.get(name, address) for name in self.NAMES}

    def statuses_of(self, caller, requests):
        return [caller.post(VERIFY, {"token": "x"}, **request).status_code for request in requests]

    def test_row_35_a_hundred_made_up_addresses_are_one_caller(self, api):
        statuses = self.statuses_of(api(), ({"headers": self.spoofed()} for _ in range(100)))
        assert statuses.count(429) == 100 - TOKEN_TRY.limit
        assert 429 not in statuses[: TOKEN_TRY.limit]

    def test_row_35_also_behind_a_proxy_of_ours(self, api, settings):
        """It appends where it saw the call come from; what stands before that was made up."""
        settings.TRUSTED_PROXY_COUNT = 1
        heard = [self.spoofed() for _ in range(100)]
        for headers in heard:
            headers["X-Forwarded-For"] += ", 198.51.100.7"
        statuses = self.statuses_of(api(), ({"headers": headers} for headers in heard))
        assert statuses.count(429) == 100 - TOKEN_TRY.limit

    def test_row_35_control_believing_a_proxy_that_is_not_there_lets_everybody_through(self, api, settings):
        settings.TRUSTED_PROXY_COUNT = 1
        made_up = ({"headers": {"X-Forwarded-For": f"203.0.113.{n}"}} for n in range(100))
        assert self.statuses_of(api(), made_up).count(429) == 0

    def test_row_35_addresses_of_one_ipv6_network_are_one_caller(self, api):
        statuses = self.statuses_of(api(), ({"REMOTE_ADDR": f"2001:db8:5:6::{n:x}"} for n in range(1, 101)))
        assert statuses.count(429) == 100 - TOKEN_TRY.limit


class TestRow42:
    """Nothing left to work with is a 503 that says when to come again, at once."""

    def test_row_42_no_room_to_work_is_503_at_once(self):
        application = Application()
        gate = gate_of(application, at_once=4, waiting=8, longest_wait=60)
        with sent(gate, *[OTHER] * 9):
            until(lambda: waiting_in(gate) == 6)
            began = time.perf_counter()
            assert call(gate, OTHER)[0] == 503
            assert time.perf_counter() - began < 30  # in the queue it would wait a minute
            application.open.set()

    def test_row_42_and_is_told_in_the_envelope(self, client):
        answer = client.get("/api/v1/pools", **{"outlast.come_again": 2})
        assert code_of(answer) == (503, "SERVICE_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "2"

    @pytest.mark.django_db(transaction=True)
    @pytest.mark.parametrize("path", ["/api/v1/pools", "/api/v1/competitions", "/admin/"])
    def test_row_42_no_connection_left_is_503_at_once(self, path):
        """The database takes no more connections, as one does whose slots are all taken."""
        user = AdminFactory()
        browser = Client(raise_request_exception=False)
        browser.force_login(user)
        with no_connections(), ThreadPoolExecutor(1) as pool:
            began = time.perf_counter()
            answer = pool.submit(asked, browser, path).result(10)
            assert time.perf_counter() - began < 8
        assert answer.status_code == 503
        assert 1 <= int(answer.headers["Retry-After"]) <= 5
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(asked, browser, path).result(10).status_code == 200


def asked(browser, path):
    """In a thread that has no connection yet."""
    try:
        return browser.get(path)
    finally:
        connection.close()


@contextmanager
def no_connections():
    """The test's database takes no more connections, whoever asks; those that are open stay."""
    name = connection.ops.quote_name(connection.settings_dict["NAME"])
    with connection._nodb_cursor() as cursor:
        cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        try:
            yield
        finally:
            cursor.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


class TestRow45:
    """Nobody keeps what was said to somebody."""

    def test_row_45_every_answer_to_somebody_is_kept_by_nobody(self):
        person = UserFactory(password=PASSWORD)
        pair = sessions.sign_in(email=person.email, password=PASSWORD).pair
        caller = APIClient()
        caller.credentials(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
        tried = 0
        for route, verb, _ in operations():
            if verb != "GET":
                continue
            answer = caller.get(route.path())
            assert "no-store" in answer.headers["Cache-Control"], route.template
            assert "Authorization" in answer.headers["Vary"], route.template
            tried += 1
        assert tried > 40

    @pytest.mark.slow
    def test_row_45_every_page_of_the_back_office(self):
        browser = Client()
        browser.force_login(AdminFactory())
        tried = 0
        for route in walk():
            if not route.template.startswith("/admin/") or "logout" in route.template:
                continue
            answer = browser.get(route.path())
            assert "no-store" in answer.headers["Cache-Control"], route.template
            assert "Cookie" in answer.headers["Vary"], route.template
            tried += 1
        assert tried > 40
