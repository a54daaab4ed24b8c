"""What is refused before any view: other origins, methods that nobody has, pages asked for too often, too much."""

import pytest
from django.db import InterfaceError, OperationalError
from django.http import HttpResponse
from django.test import RequestFactory

from config.api import ratelimit
from config.api.middleware import ApiGuardMiddleware, server_error
from config.api.operations import operation_of
from config.web.middleware import PROBES, is_counted
from tests.security.routes import walk

pytestmark = pytest.mark.django_db

OURS, EVIL = "https://play.example.org", "https://evil.example"


def code_of(answer):
    return answer.status_code, answer.json()["error"]["code"]


def preflight(client, origin, path="/api/v1/pools", method="GET"):
    return client.options(path, headers={"Origin": origin, "Access-Control-Request-Method": method})


def cors(answer):
    return {name for name in answer.headers if name.lower().startswith("access-control")}


class TestOrigins:
    @pytest.fixture(autouse=True)
    def _one_origin(self, settings):
        settings.CORS_ALLOWED_ORIGINS = [OURS]

    def test_a_page_of_a_named_origin_may_call_and_read(self, client):
        answer = client.get("/api/v1/pools", headers={"Origin": OURS})
        assert answer.headers["access-control-allow-origin"] == OURS
        assert {name.strip() for name in answer.headers["access-control-expose-headers"].split(",")} == {
            "Content-Disposition", "Content-Language", "Deprecation", "ETag", "Idempotent-Replayed", "Link", "Location",
            "Retry-After", "Sunset", "X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "X-Request-ID",
            "traceparent",
        }  # fmt: skip
        assert "access-control-allow-credentials" not in answer.headers
        assert "origin" in answer.headers["Vary"]

    def test_its_browser_is_told_what_it_may_send(self, client):
        answer = preflight(client, OURS, method="PUT")
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == OURS
        assert answer.headers["access-control-allow-methods"] == "GET, HEAD, POST, PUT, PATCH, DELETE"
        assert "idempotency-key" in answer.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in answer.headers

    @pytest.mark.parametrize(
        "origin",
        [
            EVIL, "null", "http://play.example.org", "https://play.example.org.evil.example", "https://xplay.example.org",
            "https://play.example.org:8443", "https://PLAY.example.org.", "//play.example.org", "https://[", "",
        ],
    )  # fmt: skip
    def test_any_other_is_told_nothing(self, client, origin):
        assert cors(client.get("/api/v1/pools", headers={"Origin": origin})) == set()
        assert cors(preflight(client, origin)) == set()
        assert code_of(preflight(client, origin)) == (405, "METHOD_NOT_ALLOWED")

    @pytest.mark.parametrize(
        "path", ["/admin/login/", "/payments/return", "/health/live", "/verify-email", "/api/docs/"]
    )
    def test_the_api_alone_may_be_called_from_elsewhere(self, client, path):
        assert cors(client.get(path, headers={"Origin": OURS})) == set()
        assert cors(preflight(client, OURS, path)) == set()

    def test_refusals_can_be_read_as_well(self, client):
        for answer in (
            client.get("/api/v1/me", headers={"Origin": OURS}),
            client.get("/api/v1/nothing", headers={"Origin": OURS}),
            client.generic("TRACE", "/api/v1/pools", headers={"Origin": OURS}),
            client.get("/api/v1/pools", headers={"Origin": OURS}, **{"outlast.come_again": 2}),
        ):
            assert answer.status_code >= 400
            assert answer.headers["access-control-allow-origin"] == OURS

    def test_where_none_is_named_none_may(self, client, settings):
        settings.CORS_ALLOWED_ORIGINS = []
        assert cors(client.get("/api/v1/pools", headers={"Origin": OURS})) == set()
        assert code_of(preflight(client, OURS)) == (405, "METHOD_NOT_ALLOWED")


class TestTurnedAway:
    def test_it_is_told_when_to_come_again_and_costs_no_query(self, client, django_assert_num_queries):
        with django_assert_num_queries(0):
            answer = client.put("/api/v1/picks", b"{", content_type="application/json", **{"outlast.come_again": 4})
        assert code_of(answer) == (503, "SERVICE_UNAVAILABLE")
        assert answer.headers["Retry-After"] == "4"
        assert answer.json()["meta"]["request_id"] == answer.headers["X-Request-ID"]

    def test_no_caller_can_say_it_of_themselves(self, client):
        assert (
            client.get("/api/v1/pools", headers={"outlast.come_again": "4", "Outlast-Come-Again": "4"}).status_code
            == 200
        )


class TestMethods:
    @pytest.mark.parametrize("method", ["TRACE", "CONNECT", "PROPFIND", "OPTIONS", "LINK", "X" * 300])
    @pytest.mark.parametrize(
        "path",
        [
            "/api/v1/pools", "/api/v1/nothing", "/admin/", "/admin/login/", "/payments/return", "/verify-email",
            "/api/docs/", "/health/live", "/metrics", "/static/accounts/link.js", "/", "/nothing",
        ],
    )  # fmt: skip
    def test_a_method_nobody_has_is_refused_everywhere(self, client, method, path):
        assert code_of(client.generic(method, path)) == (405, "METHOD_NOT_ALLOWED")

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    @pytest.mark.parametrize("path", ["/admin/", "/admin/accounts/user/", "/admin/login/", "/admin/jsi18n/"])
    def test_the_back_office_has_forms_alone(self, client, method, path):
        answer = client.generic(method, path)
        assert code_of(answer) == (405, "METHOD_NOT_ALLOWED")
        assert answer.headers["Allow"] == "GET, HEAD, POST"


class TestPages:
    @pytest.fixture(autouse=True)
    def _few(self, monkeypatch):
        few = ratelimit.Policy("page", 3, 60, ratelimit.By.ADDRESS)
        monkeypatch.setattr("config.web.middleware.PAGE", few)

    @pytest.mark.parametrize(
        "path", ["/admin/login/", "/verify-email", "/api/docs/", "/payments/return", "/", "/nothing"]
    )
    def test_one_too_many_is_429_with_a_waiting_time(self, client, path):
        answers = [client.get(path, headers={"Accept": "text/html"}) for _ in range(4)]
        assert [answer.status_code == 429 for answer in answers] == [False, False, False, True]
        assert answers[0].headers["X-RateLimit-Limit"] in ("3", "60")
        assert 1 <= int(answers[3].headers["Retry-After"]) <= 60
        is_for_people = path.startswith(("/admin/", "/payments/"))
        assert answers[3].headers["Content-Type"].startswith("text/plain" if is_for_people else "application/json")

    def test_all_pages_count_together_and_each_network_for_itself(self, client):
        for path in ("/admin/login/", "/verify-email", "/nothing"):
            client.get(path, REMOTE_ADDR="2001:db8:1:2::1")
        assert client.get("/undo-email", REMOTE_ADDR="2001:db8:1:2:9::7").status_code == 429
        assert client.get("/undo-email", REMOTE_ADDR="2001:db8:1:3::1").status_code == 200

    @pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics", "/static/accounts/link.js"])
    def test_probes_and_files_are_not_counted(self, client, path):
        assert [client.get(path).status_code for _ in range(6)] == [200] * 6


class TestAway:
    """A server without a connection left for us says so, at once, and crashes for nobody."""

    @pytest.mark.parametrize("error", [OperationalError("too many clients"), InterfaceError("closed")])
    def test_a_page_is_503_with_a_waiting_time(self, error):
        request = RequestFactory().get("/admin/pools/pool/")
        answer = ApiGuardMiddleware(lambda _: HttpResponse()).process_exception(request, error)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")

    def test_a_crash_of_a_page_stays_one(self):
        request = RequestFactory().get("/admin/pools/pool/")
        assert ApiGuardMiddleware(lambda _: HttpResponse()).process_exception(request, RuntimeError()) is None

    @pytest.mark.parametrize(("error", "status"), [(OperationalError, 503), (RuntimeError, 500)])
    def test_the_same_outside_of_views(self, error, status):
        try:
            raise error("x")
        except error:
            assert server_error(RequestFactory().get("/admin/")).status_code == status


# The provider repeats what it could not deliver, so refusing it for coming often would only bring more of it; what is
# not signed is refused after one hash, and the gate bounds how many are looked at together.
UNLIMITED = {"/api/v1/webhooks/stripe", "/api/v1/webhooks/<slug:provider>"}


def policies_of(route):
    """The policies of each method of a view of ours."""
    callback = route.pattern.callback
    for verb in route.verbs:
        made = callback.cls(**callback.initkwargs)
        made.action = (getattr(callback, "actions", None) or {}).get(verb.lower(), verb.lower())
        made.request = RequestFactory().generic(verb, "/")
        made.operation = operation_of(made, verb)
        yield made.policies()


def test_every_address_and_method_is_limited_by_something():
    """A new view without a limit fails here, unless it is a probe or named above with its reason."""
    found = list(walk())
    assert len(found) > 150
    of_api = [route for route in found if route.template.startswith(("/api/v1/", "/graphql"))]
    assert {route.template for route in of_api if not all(policies_of(route))} == UNLIMITED
    others = {route.template for route in found} - {route.template for route in of_api}
    assert {path for path in others if not is_counted(path)} == PROBES
