"""Rows 21, 22, 25, 26 and 48: what can be seen and reached from outside, and what we ourselves reach out to."""

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from rest_framework.test import APIClient

from config import http
from config.api.docs import whole_schema
from config.api.language import OF_PLAYERS
from config.api.middleware import is_page
from config.http import AddressRefused
from config.local.commands import lint
from tests.factories.accounts import AdminFactory
from tests.security.routes import api_routes, walk

ROOT = Path(__file__).parents[2]
STRANGER = "203.0.113.9"
CANARY = "canary-in-the-message-of-an-exception"

# --- 21: requests that we would make for somebody else ----------------------------------------------------------------

INWARD = (
    "http://169.254.169.254/latest/meta-data/", "http://[fd00:ec2::254]/", "http://127.0.0.1/", "http://localhost/",
    "http://[::1]/", "http://0.0.0.0/", "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
    "http://[::ffff:169.254.169.254]/", "http://2130706433/", "http://0x7f000001/", "http://127.1/",
    "http://100.64.0.1/", "http://[fe80::1]/",
)  # fmt: skip
OTHERWISE = ("file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/", "data:text/plain,x", "//127.0.0.1/", "")
# Who may speak to other servers by itself: the client that refuses the above. Libraries of the provider and of stores
# know their own hosts. Local tools talk to the servers that they start themselves.
MAY_CALL = {f"config/http/{name}.py" for name in ("answers", "calling", "client", "connections", "failures")}
CLIENTS = {
    "requests",
    "urllib3",
    "httpx",
    "aiohttp",
    "http.client",
    "urllib.request",
    "ftplib",
    "telnetlib",
    "paramiko",
}


@pytest.mark.parametrize("address", [*INWARD, *OTHERWISE])
def test_row_21_nothing_inside_is_fetched_for_anybody(settings, address):
    settings.IS_SERVED = True

    with pytest.raises(AddressRefused):
        http.fetch(address)


def test_row_21_nobody_else_calls_out():
    found = {
        str(path.relative_to(ROOT))
        for package in ("config", "accounts", "pools", "entries", "payments")
        for path in (ROOT / package).rglob("*.py")
        if "local" not in path.relative_to(ROOT).parts and imported(path) & CLIENTS
    }

    assert found == MAY_CALL


def imported(path: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {
                node.module,
                node.module.partition(".")[0],
                *(f"{node.module}.{each.name}" for each in node.names),
            }
    return names


# --- 22: nothing is told about the inside -----------------------------------------------------------------------------


@pytest.mark.slow  # `manage.py lint` asks the same each time
def test_row_22_the_settings_of_production_have_no_warning():
    done = subprocess.run(
        [sys.executable, "manage.py", "check", "--deploy", "--fail-level", "WARNING"],
        cwd=ROOT, env={**os.environ, **lint.production_environment()}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip

    assert (done.returncode, "no issues" in done.stdout) == (0, True), done.stderr


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize(
    "path", ["/api/v1/nothing", "/api/nothing", "/nothing", "/api/v1/pools/x", "/.git/config", "/.env"]
)
def test_row_22_what_is_not_there_is_an_envelope_that_tells_nothing(settings, client, db, path, debug):
    settings.DEBUG = debug

    answer = client.get(path)

    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")
    assert "urlpatterns" not in answer.content.decode()


def test_row_22_the_server_does_not_say_what_it_is(client, db):
    answer = client.get("/api/v1/pools")

    assert not {"Server", "X-Powered-By", "X-Django-Version"} & set(answer.headers)


# --- 25: what there is, is what is written down -----------------------------------------------------------------------

# Not in the schema: pages for people, probes, figures, the schema itself, what is no REST, the admin's.
INTERNAL = {
    "/", "/admin/login/", "/admin/password_change/", "/admin/second-factor/", "/api/docs/", "/api/redoc/",
    "/api/v1/schema/", "/confirm-email", "/graphql", "/health", "/health/detailed", "/health/live", "/health/ready",
    "/mail/events", "/metrics", "/payments/return", "/ready", "/reset-password", "/undo-email", "/unsubscribe",
    "/verify-email", "/ws/pools/{}",
}  # fmt: skip


def test_row_25_addresses_are_those_of_the_contract_and_the_internal_ones():
    written = {without_names(path) for path in whole_schema()["paths"]}
    there = {
        route.nameless for route in walk() if not route.template.startswith("/admin/") or route.template in INTERNAL
    }

    assert there - written == INTERNAL
    assert written - there == set()


def without_names(path: str) -> str:
    return re.sub(r"\{[^}]+\}", "{}", path)


# --- 26: what is meant for us is seen by us ---------------------------------------------------------------------------

PUBLIC_PAGES = ("/api/docs/", "/api/redoc/", "/api/v1/schema/")


@pytest.fixture
def outside(settings, db):
    """Somebody far away, where strangers are served."""
    settings.IS_SERVED = True
    settings.SECURE_SSL_REDIRECT = False
    return Client(REMOTE_ADDR=STRANGER, raise_request_exception=False)


def test_row_26_figures_and_details_are_not_for_strangers(outside):
    assert outside.get("/metrics").status_code == 404
    assert outside.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 404
    assert outside.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 404
    assert outside.get("/health/detailed").status_code == 401


def test_row_26_a_probe_tells_states_and_no_more(outside):
    assert outside.get("/health/live").json()["data"] == {"status": "ok"}
    said = outside.get("/health/ready").json()
    assert set((said["data"] or said["error"]["details"])["checks"].values()) <= {"ok", "degraded", "down"}


def test_row_26_the_whole_back_office_leads_to_its_door(outside):
    routes = [route for route in walk() if route.template.startswith("/admin/")]
    assert len(routes) > 100
    for route in routes:
        answer = outside.get(route.path(object_id="1", app_label="pools", content_type_id="1", url="x"))
        leads_in = answer.status_code == 302 and answer["Location"].startswith("/admin/login/")
        is_open = route.template in ("/admin/login/", "/admin/logout/", "/admin/language/", "/admin/jsi18n/")
        assert leads_in or is_open or answer.status_code in (403, 404, 405), (route.template, answer.status_code)


@pytest.mark.parametrize("path", PUBLIC_PAGES)
def test_row_26_the_contract_is_meant_for_everybody(outside, path):
    assert outside.get(path).status_code == 200


# --- 48: a crash is a sentence and a number ---------------------------------------------------------------------------


def boom(*_, **__):
    raise RuntimeError(CANARY)


@pytest.mark.parametrize("debug", [False, True])
def test_row_48_a_crash_in_any_view_of_the_api_tells_its_request_id_and_nothing_else(settings, monkeypatch, db, debug):
    settings.DEBUG = debug
    client = APIClient(raise_request_exception=False)
    client.force_authenticate(AdminFactory())
    routes = api_routes()
    assert len(routes) > 100
    for view in {route.view for route in routes}:
        monkeypatch.setattr(view, "initial", boom)
    for route in routes:
        for verb in route.verbs:
            answer = client.generic(verb, route.path(), "{}", content_type="application/json", HTTP_X_REQUEST_ID="r-48")
            expect_generic(answer, f"{verb} {route.template}")


def test_row_48_nor_does_one_in_any_other_view(monkeypatch, db):
    client = Client(raise_request_exception=False)
    others = [route for route in walk() if not route.is_api and not is_page(route.template)]
    assert len(others) > 10
    for route in others:
        monkeypatch.setattr(route.pattern, "callback", boom)
        expect_generic(client.get(route.path(), headers={"X-Request-ID": "r-48"}), route.template)


def test_row_48_nor_does_one_in_a_page(monkeypatch, db):
    client = Client(raise_request_exception=False)
    for route in walk():
        if route.template in {"/admin/", "/admin/login/", *OF_PLAYERS}:
            monkeypatch.setattr(route.pattern, "callback", boom)
            answer = client.get(route.path())
            assert (answer.status_code, CANARY in answer.content.decode()) == (500, False), route.template
            assert "Traceback" not in answer.content.decode()


def expect_generic(answer, what):
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/json"), what
    said = answer.json()
    assert (said["success"], said.get("data"), said["error"]["code"]) == (False, None, "INTERNAL_ERROR"), what
    assert answer["X-Request-ID"] == "r-48", what
    text = answer.content.decode()
    assert [word for word in (CANARY, "Traceback", "RuntimeError") if word in text] == [], what
