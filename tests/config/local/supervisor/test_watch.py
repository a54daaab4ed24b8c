import os
import signal

from config.local.services import ensure
from config.local.supervisor import watch
from tests.config.local.conftest import is_running, server_of, wait_until


def test_servers_that_stay_are_no_excuse(only_valkey):
    ensure()
    watched = watch.ServerWatch()

    assert watched.was_replaced() is False
    assert watch.running() == {"valkey": server_of("valkey")["server"]}


def test_a_server_that_is_away_or_was_just_replaced_is_one(only_valkey, monkeypatch):
    ensure()
    watched = watch.ServerWatch()
    killed = server_of("valkey")["server"]

    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_running(killed))
    wait_until(watched.was_replaced)
    wait_until(lambda: server_of("valkey")["server"] != killed)

    assert watched.was_replaced()
    monkeypatch.setattr(watch, "AFTERMATH", 0.0)
    assert watched.was_replaced() is False


def test_servers_of_somebody_elses_are_not_watched(only_valkey, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/1")
    ensure()

    assert watch.running() == {}
    assert watch.ServerWatch().was_replaced() is False
