import os
import signal
import socket
import time

import psycopg
import redis

from config.local import home
from config.local.services import ensure, lease
from tests.config.local.conftest import is_running, is_stopped, server_of, wait_until


def kill(*processes):
    """By kill -9, all at once, and wait until they are gone."""
    for process in processes:
        os.kill(process, signal.SIGKILL)
    for process in processes:
        wait_until(lambda process=process: not is_running(process))


def answer(address):
    try:
        with psycopg.connect(address, connect_timeout=2) as connection:
            return connection.execute("SELECT text FROM note").fetchone()
    except psycopg.OperationalError:
        return None


def test_killed_postgres_comes_back_at_its_address_with_every_committed_row(only_postgres):
    ensure()
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE note (text text)")
        connection.execute("INSERT INTO note VALUES ('kept')")
    killed = server_of("postgres")["server"]

    kill(killed)

    assert wait_until(lambda: answer(address)) == ("kept",)
    wait_until(lambda: server_of("postgres")["server"] != killed)


def test_killed_postgres_keeper_takes_its_server_along_and_the_next_start_finds_the_data(only_postgres):
    ensure()
    address = os.environ["DATABASE_URL"]
    with psycopg.connect(address) as connection:
        connection.execute("CREATE TABLE note (text text)")
        connection.execute("INSERT INTO note VALUES ('kept')")
    before = server_of("postgres")

    kill(before["keeper"])
    ensure()

    assert os.environ["DATABASE_URL"] == address
    assert answer(address) == ("kept",)
    assert not is_running(before["server"])


def test_killed_valkey_comes_back_with_its_keys(only_valkey):
    ensure()
    server = redis.Redis.from_url(os.environ["REDIS_URL"])
    server.set("word", "kept")
    # Written through at once, without the second that a crash may cost.
    server.execute_command("WAITAOF", 1, 0, 2000)
    killed = server_of("valkey")["server"]

    kill(killed)

    wait_until(lambda: server_of("valkey")["server"] != killed)
    assert redis.Redis.from_url(os.environ["REDIS_URL"]).get("word") == b"kept"


def test_killing_keeper_and_server_together_blocks_nothing(only_valkey):
    ensure()
    before = server_of("valkey")

    kill(before["keeper"], before["server"])
    ensure()

    assert redis.Redis.from_url(os.environ["REDIS_URL"]).ping()


def test_a_server_that_does_not_stay_up_is_given_up(only_valkey, monkeypatch):
    ensure()
    keeper = server_of("valkey")["keeper"]
    for _ in range(6):
        killed = server_of("valkey")["server"]
        kill(killed)
        wait_until(lambda killed=killed: lease.KeptServer("valkey").state().get("server") != killed)

    wait_until(lambda: not is_running(keeper))
    assert "does not stay up" in (only_valkey / "logs" / "keeper-valkey.log").read_text()


def test_the_remembered_port_is_left_to_a_stranger_who_holds_it(only_valkey):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", home.port("redis")))
        stranger.listen()
        taken = home.port("redis")
        ensure()

        assert home.port("redis") != taken
        assert redis.Redis.from_url(os.environ["REDIS_URL"]).ping()


def test_two_homes_run_side_by_side(make_home, client, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgres://somebody:else@127.0.0.1:1/theirs")
    make_home()
    first = client().addresses()[1]
    make_home()
    second = client().addresses()[1]

    redis.Redis.from_url(first).set("home", "first")
    assert first != second
    assert redis.Redis.from_url(second).get("home") is None


def test_an_idle_keeper_waits_before_it_stops(only_valkey, client, monkeypatch):
    monkeypatch.setenv("OUTLAST_KEEPER_PATIENCE", "1.5")
    visitor = client()
    visitor.addresses()
    visitor.leave()

    kept = server_of("valkey")
    time.sleep(0.7)
    assert is_running(kept["server"])
    wait_until(lambda: is_stopped("valkey"))


def test_a_keeper_that_is_told_to_end_stops_its_server(only_valkey):
    ensure()
    kept = server_of("valkey")

    os.kill(kept["keeper"], signal.SIGTERM)

    wait_until(lambda: not is_running(kept["keeper"]))
    assert not is_running(kept["server"])
