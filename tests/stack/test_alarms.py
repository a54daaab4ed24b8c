"""A real Prometheus watches a real system: PostgreSQL is taken away, and within a minute somebody would be woken."""

import json
import subprocess
import time
import urllib.request
from contextlib import contextmanager

import pytest
import yaml

from tests.support.outages import Surrounded
from tests.support.prometheus import FOLDER, needs_prometheus
from tests.support.running import free_port, wait_for

pytestmark = [pytest.mark.slow, pytest.mark.stack]


class Prometheus:
    """The server, with the rules and the configuration of the documentation; only the address watched is another."""

    def __init__(self, folder, watched):
        configuration = yaml.safe_load((FOLDER / "prometheus.yml").read_text())
        configuration["rule_files"] = [str(FOLDER / "alerts.yml")]
        configuration["scrape_configs"][0]["static_configs"] = [{"targets": [watched]}]
        self.file = folder / "prometheus.yml"
        self.file.write_text(yaml.safe_dump(configuration))
        self.data, self.log, self.port = folder / "data", folder / "prometheus.log", free_port()

    @contextmanager
    def running(self):
        options = [f"--config.file={self.file}", f"--storage.tsdb.path={self.data}"]
        address = f"--web.listen-address=127.0.0.1:{self.port}"
        with self.log.open("wb") as log:
            process = subprocess.Popen(["prometheus", *options, address], stdout=log, stderr=log)
        try:
            yield self
        finally:
            process.terminate()
            process.wait(30)

    def ask(self, path):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/api/v1/{path}", timeout=10) as answer:
            return json.load(answer)["data"]

    def is_watching(self):
        try:
            targets = self.ask("targets")["activeTargets"]
        except OSError:
            return False
        return [target["health"] for target in targets] == ["up"]

    def firing(self):
        return {alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"}


@pytest.fixture
def system(tmp_path_factory):
    system = Surrounded(tmp_path_factory.mktemp("alarms"))
    system.start()
    yield system
    system.end()


def test_within_a_minute_of_losing_postgresql_the_alarm_rings(system, tmp_path):
    needs_prometheus()
    with Prometheus(tmp_path, f"127.0.0.1:{system.port}").running() as prometheus:
        wait_for(prometheus.is_watching, seconds=60)
        wait_for(lambda: prometheus.ask("query?query=outlast_database_up")["result"], seconds=60)
        assert prometheus.firing() & {"DatabaseAway", "ServerAway", "LateAccepted", "LedgerImbalance"} == set()
        with system.postgresql_stopped():
            gone_at = time.monotonic()
            wait_for(lambda: "DatabaseAway" in prometheus.firing(), seconds=60, every=1)
            took = time.monotonic() - gone_at
            print(f"the alarm rang after {took:.0f} s", flush=True)
            # Every other target's figures go on: it is the database that is away, and not the server.
            assert "ServerAway" not in prometheus.firing()
        wait_for(lambda: "DatabaseAway" not in prometheus.firing(), seconds=120, every=1)
