import os
import time

import psycopg
import pytest
import redis

from config.local.services import InUse, ServiceFailed, ensure, exclusive, lease, release
from tests.config.local.conftest import is_running, is_stopped, server_of, wait_until


def test_missing_addresses_are_set_and_real_servers_answer_there(place):
    ensure()

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        who = connection.execute("SELECT current_user, current_database(), current_setting('max_connections')")
        assert who.fetchone() == ("outlast", "outlast", "200")
        assert connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = 'outlast'").fetchone() == (True,)
    cache = redis.Redis.from_url(os.environ["REDIS_URL"])
    broker = redis.Redis.from_url(os.environ["CELERY_BROKER_URL"])
    assert cache.set("where", "cache")
    assert broker.get("where") is None
    assert broker.config_get("databases") == {"databases": "64"}


def test_nothing_starts_when_every_address_is_given(only_valkey, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/1")

    ensure()

    assert os.environ["DATABASE_URL"] == "postgres://somebody:else@127.0.0.1:1/theirs"
    assert [is_stopped(name) for name in lease.SERVERS] == [True, True]


def test_only_the_server_of_a_missing_address_starts(only_valkey, monkeypatch):
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")

    ensure()

    assert os.environ["REDIS_URL"] == "redis://127.0.0.1:1/0"
    assert redis.Redis.from_url(os.environ["CELERY_BROKER_URL"]).ping()
    assert is_stopped("postgres")


def test_postgres_alone_starts_when_only_its_address_is_missing(only_postgres):
    ensure()

    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert is_stopped("valkey")


def test_servers_stop_when_the_last_client_is_gone_even_by_kill_9(only_valkey, client):
    first, second = client(), client()
    assert first.addresses() == second.addresses()
    server = server_of("valkey")["server"]

    first.process.kill()
    first.process.wait()
    assert is_running(server)
    second.process.kill()

    wait_until(lambda: is_stopped("valkey"))
    assert not is_running(server)


def test_a_client_that_comes_while_the_server_stops_gets_a_running_one(only_valkey, client):
    for _ in range(4):
        started = [client() for _ in range(4)]
        for each in started:
            address = each.addresses()[1]
            assert redis.Redis.from_url(address).ping()
        for each in started:
            each.leave()
        # Long enough for the keeper to lose patience now and then, short enough to meet it while it stops.
        time.sleep(0.25)


def test_release_stops_what_nobody_else_uses(only_valkey):
    ensure()

    assert release() is True
    assert is_stopped("valkey")


def test_release_leaves_what_another_process_uses(only_valkey, client):
    client().addresses()
    ensure()

    assert release() is False
    assert is_running(server_of("valkey")["server"])


def test_exclusive_use_is_refused_while_another_process_works(only_valkey, client):
    client().addresses()

    with pytest.raises(InUse), exclusive():
        pytest.fail("entered")


def test_whoever_comes_during_exclusive_use_waits(only_valkey, client):
    with exclusive():
        other = client()
        time.sleep(0.5)
        assert is_stopped("valkey")

    assert redis.Redis.from_url(other.addresses()[1]).ping()


def test_a_server_that_cannot_start_says_what_its_program_said(only_valkey):
    (only_valkey / "data").mkdir()
    (only_valkey / "data" / "valkey").write_text("a file where a folder should be")

    with pytest.raises(ServiceFailed, match="The embedded valkey does not start") as failure:
        ensure()

    assert "valkey" in str(failure.value)
