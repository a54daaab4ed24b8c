"""Alive, ready, and what is missing."""

import socket

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from rest_framework.test import APIClient

from accounts.services.sessions import sign_in, sign_out
from config import health
from config.connections import cache
from config.draining import DRAIN_MARK
from config.models import OutboxMessage
from config.probing import Prober
from tests.factories.accounts import PASSWORD, AdminFactory
from tests.support.outages import passage_to_postgresql
from tests.support.running import wait_for

pytestmark = pytest.mark.django_db

LAST = MigrationLoader(None).graph.leaf_nodes("config")[0]
DEAD_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def forgetful(monkeypatch):
    """Nothing remembered from an earlier probe."""
    monkeypatch.setattr(health, "_remembered", {})
    monkeypatch.setattr(health, "_all_applied", False)
    health._broker.cache_clear()
    yield
    health._broker.cache_clear()


@pytest.fixture
def provider(settings):
    """Something listens where Stripe's double would."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.STRIPE_API_BASE = f"http://127.0.0.1:{listening.getsockname()[1]}"
        yield


def checks(answer):
    body = answer.json()
    return body["data"]["checks"] if body["success"] else body["error"]["details"]["checks"]


@pytest.mark.parametrize("path", ["/health", "/health/live"])
def test_alive_touches_nothing(client, path, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get(path)
    assert (answer.status_code, answer.json()["data"]) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/ready", "/health/ready"])
def test_ready_lists_everything(client, provider, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.json()["data"] == {
        "status": "ok",
        "checks": dict.fromkeys(("postgresql", "migrations", "redis", "broker", "mail", "provider"), "ok"),
    }


def test_without_redis_it_is_degraded_and_still_ready(client, provider, settings):
    settings.CACHES = {**settings.CACHES, "limits": cache(DEAD_REDIS, environment="local", forgiving=False)}
    settings.CELERY_BROKER_URL = DEAD_REDIS
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "degraded")
    found = checks(answer)
    assert (found["redis"], found["broker"], found["postgresql"]) == ("degraded", "degraded", "ok")


def test_without_provider_or_mail_it_is_degraded_and_still_ready(client, settings):
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    answer = client.get("/health/ready")
    assert answer.status_code == 200
    assert (checks(answer)["provider"], checks(answer)["mail"]) == ("degraded", "degraded")


def test_with_unapplied_migrations_it_is_not_ready(client, provider):
    MigrationRecorder(connection).record_unapplied(*LAST)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert (checks(answer)["migrations"], checks(answer)["postgresql"]) == ("down", "ok")
    assert answer["Retry-After"] == "5"


def test_it_becomes_ready_once_they_are_applied(client, provider):
    recorder = MigrationRecorder(connection)
    recorder.record_unapplied(*LAST)
    assert client.get("/health/ready").status_code == 503
    recorder.record_applied(*LAST)
    assert client.get("/health/ready").status_code == 200


def test_without_postgresql_it_is_not_ready(client, provider, monkeypatch):
    def refuse():
        raise DatabaseError("server closed the connection: host db.internal, user outlast")

    monkeypatch.setattr(connection, "cursor", refuse)
    answer = client.get("/health/ready")
    assert answer.status_code == 503
    assert checks(answer)["postgresql"] == "down"
    assert b"internal" not in answer.content


def test_probes_do_not_knock_each_time(client, provider, settings):
    client.get("/health/ready")
    settings.STRIPE_API_BASE = "http://127.0.0.1:1"
    assert checks(client.get("/health/ready"))["provider"] == "ok"


def test_head_is_answered_and_post_is_not(client, provider):
    assert client.head("/health/ready").status_code == 200
    assert client.post("/health/ready").status_code == 405


def test_before_its_end_it_is_not_ready_and_serves_on(client, provider, tmp_path, monkeypatch):
    mark = tmp_path / "draining"
    monkeypatch.setenv(DRAIN_MARK, str(mark))
    assert client.get("/health/ready").status_code == 200
    mark.touch()
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["error"]["details"]["draining"]) == (503, True)
    assert answer["Retry-After"] == "5"
    assert client.get("/health/live").status_code == 200
    assert client.get("/api/v1/competitions").status_code == 200


class TestFrozenPostgresql:
    """It takes connections, and nothing ever comes back."""

    pytestmark = pytest.mark.django_db(transaction=True)

    @pytest.fixture
    def passage(self, monkeypatch):
        monkeypatch.setattr(health, "_prober", Prober("test", keeps_connection=True))
        monkeypatch.setattr(health, "ESSENTIAL_SECONDS", 0.5)
        with passage_to_postgresql(monkeypatch) as passage:
            yield passage

    def test_readiness_does_not_wait_for_it(self, client, provider, passage):
        assert wait_for(lambda: client.get("/health/ready").status_code == 200, seconds=20)
        passage.freeze()
        answer = client.get("/health/ready")
        assert (answer.status_code, checks(answer)["postgresql"]) == (503, "down")
        passage.open()
        assert wait_for(lambda: client.get("/health/ready").status_code == 200, seconds=20)


class TestDetailed:
    def test_it_is_for_staff(self, api, player, moderator, provider):
        assert api().get("/health/detailed").status_code == 401
        assert api(player).get("/health/detailed").status_code == 403
        assert api(moderator).get("/health/detailed").status_code == 200

    def test_a_staff_session_will_do(self, moderator, provider):
        browser = APIClient()
        browser.force_login(moderator)
        assert browser.get("/health/detailed").status_code == 200

    def test_a_token_whose_session_is_over_will_not(self, provider, db):
        boss = AdminFactory(password=PASSWORD)
        pair = sign_in(email=boss.email, password=PASSWORD).pair
        client = APIClient(HTTP_AUTHORIZATION=f"Bearer {pair.access}")
        assert client.get("/health/detailed").status_code == 200
        sign_out(refresh=pair.refresh)
        assert client.get("/health/detailed").status_code == 401

    def test_it_tells_what_waits(self, api, moderator, provider):
        OutboxMessage.objects.create(kind="a", key="waiting")
        OutboxMessage.objects.create(kind="a", key="done", done_at="2026-01-01T00:00Z")
        OutboxMessage.objects.create(kind="a", key="dead", dead_at="2026-01-01T00:00Z")
        data = api(moderator).get("/health/detailed").json()["data"]
        assert (data["status"], data["outbox"]["waiting"], data["outbox"]["dead"]) == ("ok", 1, 1)
        assert data["outbox"]["oldest_seconds"] >= 0
        assert data["environment"] == "test"

    def test_it_asks_afresh(self, api, moderator, provider, settings):
        api(moderator).get("/health/detailed")
        settings.STRIPE_API_BASE = "http://127.0.0.1:1"
        data = api(moderator).get("/health/detailed").json()["data"]
        assert (data["status"], data["checks"]["provider"]) == ("degraded", "degraded")
