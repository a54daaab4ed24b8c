"""Figures for Prometheus."""

import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
from prometheus_client.parser import text_string_to_metric_families

from config import metrics, scraping, tasks
from config.clock import database_now
from config.env import PROJECT
from config.models import Heartbeat, OutboxMessage
from config.probing import Prober
from tests.support.outages import passage_to_postgresql
from tests.support.running import wait_for

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


class TestEndedProcesses:
    """Of a folder for figures of its own: what it holds is written by child processes that are over when we look."""

    @pytest.fixture
    def root(self, tmp_path, monkeypatch):
        monkeypatch.setattr(metrics, "ROOT", tmp_path)
        return tmp_path

    def ended(self, folder, code):
        folder.mkdir(exist_ok=True, parents=True)
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)}
        subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)

    def total(self, name):
        return {
            (sample.name, *sample.labels.items()): sample.value
            for family in scraping.Counted().collect()
            for sample in family.samples
            if family.name == name
        }

    COUNT = "import prometheus_client as p; p.Counter('outlast_sample', 'Sample.', ['kind']).labels('a').inc(%d)"
    TIME = "import prometheus_client as p; p.Histogram('outlast_time', 'Sample.', buckets=(1, 5)).observe(%d)"
    OPEN = "import prometheus_client as p; p.Gauge('outlast_open', 'Sample.', multiprocess_mode='livesum').set(7)"

    def test_what_they_counted_is_kept_in_one_file_and_theirs_are_removed(self, root):
        for number in (1, 2, 3):
            self.ended(root / "4194399", self.COUNT % number)
        assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 6}
        self.ended(root / "4194398", self.COUNT % 4)
        assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 10}
        assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 10}
        assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == [
            ".lock", "gone", "gone/counter_gone.db",
        ]  # fmt: skip

    def test_a_file_that_was_made_and_never_written_hurts_nobody(self, root):
        self.ended(root / "4194399", self.COUNT % 1)
        for ended, alive in (("4194398", str(os.getpid())), ("4194399", "1")):
            (root / ended / f"counter_{alive}.db").parent.mkdir(exist_ok=True)
            (root / ended / f"counter_{alive}.db").touch()
            (root / ended / f"counter_{ended}.db").touch()
        assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 1}
        left = {str(path.relative_to(root)) for path in root.rglob("*.db")}
        assert left == {"gone/counter_gone.db", f"4194398/counter_{os.getpid()}.db", "4194399/counter_1.db"}

    def test_distributions_are_kept_too(self, root):
        for number in (0, 3, 9):
            self.ended(root, self.TIME % number)
        for _ in range(2):
            found = self.total("outlast_time")
            assert found[("outlast_time_bucket", ("le", "1.0"))] == 1
            assert found[("outlast_time_bucket", ("le", "5.0"))] == 2
            assert found[("outlast_time_bucket", ("le", "+Inf"))] == found[("outlast_time_count",)] == 3
            assert found[("outlast_time_sum",)] == 12

    def test_what_they_had_open_is_open_no_more(self, root):
        self.ended(root, self.OPEN)
        assert self.total("outlast_open") == {}
        assert list(root.glob("*.db")) == []

    def test_files_of_living_processes_are_left_alone(self, root):
        alive = "import time\n" + self.COUNT % 5 + "\nprint('ready', flush=True)\ntime.sleep(60)"
        environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(root)}
        with subprocess.Popen([sys.executable, "-c", alive], env=environment, stdout=subprocess.PIPE) as child:
            try:
                child.stdout.readline()
                self.ended(root, self.COUNT % 2)
                for _ in range(2):
                    assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 7}
                assert [path.name for path in root.glob("*.db")] == [f"counter_{child.pid}.db"]
            finally:
                child.kill()
        child.wait()
        assert self.total("outlast_sample") == {("outlast_sample_total", ("kind", "a")): 7}


@pytest.mark.django_db(transaction=True)
class TestWithoutPostgresql:
    """Asked past everything that may be stuck; the figures of the processes are there all the same."""

    @pytest.fixture
    def passage(self, monkeypatch):
        monkeypatch.setattr(scraping, "_prober", Prober("test", keeps_connection=True))
        monkeypatch.setattr(scraping, "QUESTIONS_SECONDS", 0.5)
        with passage_to_postgresql(monkeypatch) as passage:
            yield passage

    def look(self, client):
        found = figures(client)
        return found[("outlast_database_up",)], ("outlast_outbox_waiting",) in found

    def test_it_says_whether_it_is_there(self, client, passage):
        assert self.look(client) == (1, True)
        passage.close()
        assert self.look(client) == (0, False)
        passage.open()
        assert wait_for(lambda: self.look(client) == (1, True), seconds=20)

    def test_a_frozen_one_is_not_waited_for(self, client, passage):
        assert self.look(client) == (1, True)
        passage.freeze()
        assert self.look(client) == (0, False)
        assert requests_of(client, "metrics") > 0

    def test_every_figure_of_the_database_is_given(self, client, passage):
        found = figures(client)
        assert found[("outlast_questions_unanswered",)] == 0


@pytest.mark.django_db(transaction=True)
def test_one_question_that_fails_keeps_no_other_from_its_answer(client, monkeypatch):
    monkeypatch.setitem(metrics.questions, "broken", ("Broken.", (), "SELECT 1 / 0"))
    found = figures(client)
    assert (found[("outlast_database_up",)], found[("outlast_questions_unanswered",)]) == (1, 1)
    assert ("outlast_outbox_waiting",) in found


@pytest.mark.django_db(transaction=True)
def test_what_all_questions_cost_is_bounded(client, monkeypatch):
    monkeypatch.setattr(scraping, "QUESTION_MILLISECONDS", 50)
    for number in range(3):
        monkeypatch.setitem(metrics.questions, f"slow_{number}", ("Slow.", (), "SELECT pg_sleep(30)"))
    assert figures(client)[("outlast_questions_unanswered",)] == 3


def test_several_modules_may_add_rows_to_one_figure(monkeypatch, client):
    metrics.counted_when_looked("sample_rows", "Rows.", ["what"], "SELECT 'a', 1")
    metrics.counted_when_looked("sample_rows", "Rows.", ["what"], "SELECT 'b', 2")
    try:
        found = figures(client)
    finally:
        del metrics.questions["sample_rows"]
    assert {value for name, value in found.items() if name[0] == "outlast_sample_rows"} == {1, 2}


def test_rows_that_nobody_takes_up_are_counted(client):
    before = figures(client)[("outlast_due_rows_overdue", ("what", "outbox"))]
    OutboxMessage.objects.create(kind="a", key="late", due_at="2026-01-01T00:00Z")
    OutboxMessage.objects.create(kind="a", key="later", due_at="2999-01-01T00:00Z")
    assert figures(client)[("outlast_due_rows_overdue", ("what", "outbox"))] == before + 1


def test_the_scheduler_has_a_heart(client):
    assert ("outlast_beat_heartbeat_age",) not in figures(client)
    for _ in range(2):
        tasks.beat_heart()
    assert 0 <= figures(client)[("outlast_beat_heartbeat_age",)] < 60
    Heartbeat.objects.update(at=database_now() - timedelta(minutes=5))
    assert 299 < figures(client)[("outlast_beat_heartbeat_age",)] < 360
