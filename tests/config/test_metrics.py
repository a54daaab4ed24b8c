"""Figures for Prometheus."""

import os
import re
import subprocess
import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.env import PROJECT
from config.models import OutboxMessage

pytestmark = pytest.mark.django_db


def figures(client):
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def requests_of(client, route, status="200", method="GET"):
    labels = sorted({"method": method, "route": route, "status": status}.items())
    return figures(client).get(("outlast_http_requests_total", *labels), 0)


def test_answers_are_counted_under_their_route(client):
    before = requests_of(client, "health/live")
    for _ in range(3):
        client.get("/health/live")
    assert requests_of(client, "health/live") == before + 3


def test_paths_and_verbs_of_strangers_make_no_series(client):
    client.get("/secret-path-17")
    client.generic("HACK", "/secret-path-17")
    names = str(figures(client))
    assert "secret-path" not in names
    assert "HACK" not in names
    assert requests_of(client, "unmatched", "404") >= 1
    assert requests_of(client, "unmatched", "405", "other") >= 1


def test_times_are_measured(client):
    client.get("/health/live")
    found = figures(client)
    assert found[("outlast_http_request_seconds_count", ("method", "GET"), ("route", "health/live"))] >= 1


def test_what_waits_is_counted_when_asked(client):
    OutboxMessage.objects.create(kind="a", key="waiting")
    OutboxMessage.objects.create(kind="a", key="dead", dead_at="2026-01-01T00:00Z")
    found = figures(client)
    assert found[("outlast_outbox_waiting",)] == 1
    assert found[("outlast_outbox_dead",)] == 1
    assert 0 <= found[("outlast_outbox_oldest_seconds",)] < 60


class TestWhoMaySee:
    @pytest.fixture(autouse=True)
    def served(self, settings):
        settings.IS_SERVED = True
        settings.METRICS_TOKEN = "a-token-for-prometheus"
        settings.TRUSTED_PROXY_COUNT = 1

    def get(self, client, **headers):
        return client.get("/metrics", headers={"X-Forwarded-For": "8.8.8.8", **headers}).status_code

    def test_strangers_see_nothing(self, client):
        assert self.get(client) == 404
        assert self.get(client, Authorization="Bearer wrong") == 404
        assert self.get(client, Authorization="Bearer ") == 404

    def test_the_token_opens(self, client):
        assert self.get(client, Authorization="Bearer a-token-for-prometheus") == 200

    def test_without_a_token_an_empty_one_does_not_open(self, client, settings):
        settings.METRICS_TOKEN = ""
        assert self.get(client, Authorization="Bearer ") == 404

    def test_this_machine_may(self, client):
        assert client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"}).status_code == 200

    def test_staff_may_and_players_may_not(self, client, moderator, player):
        client.force_login(player)
        assert self.get(client) == 404
        client.force_login(moderator)
        assert self.get(client) == 200


WORKER = """
import django; django.setup()
from config.metrics import counter
counter("sample", "Counted in two processes.").inc(%d)
"""
TOTAL = """
import django; django.setup()
from django.test import Client
print(Client().get("/metrics").content.decode())
"""


@pytest.mark.slow
def test_processes_of_one_server_are_added_up(tmp_path):
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "metrics"),
    }

    def run(code):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(WORKER % 2)
    run(WORKER % 3)
    assert re.search(r"^outlast_sample_total 5\.0$", run(TOTAL), re.MULTILINE)


@pytest.mark.slow
def test_web_server_and_worker_of_one_home_are_added_up(tmp_path):
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "OUTLAST_HOME": str(tmp_path)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    # As another server's processes have it: a folder named by a process that lives.
    other = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "run" / "metrics" / str(os.getppid()))}

    def run(code, environment):
        command = [sys.executable, "-c", code]
        done = subprocess.run(
            command, env=environment, cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    run(WORKER % 2, other)
    run(WORKER % 3, environment)
    assert re.search(r"^outlast_sample_total 5\.0$", run(TOTAL, environment), re.MULTILINE)


def test_folders_of_servers_that_have_gone_are_removed(tmp_path):
    gone = tmp_path / "run" / "metrics" / "4194399"
    gone.mkdir(parents=True)
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "config.settings", "OUTLAST_HOME": str(tmp_path)}
    environment.pop("PROMETHEUS_MULTIPROC_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", "import django; django.setup()"],
        env=environment,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert [path.name for path in gone.parent.iterdir()] == [str(os.getpid())]
