"""Listeners while something around the process is away: the database, the wake-up call, Redis."""

import pytest
from django.db import connection

from tests.config.live.test_sockets import tell
from tests.factories.pools import PoolFactory
from tests.support.live import LiveProcess, heard

pytestmark = pytest.mark.slow


def cut(which: str = "true") -> int:
    """End the process's connections to PostgreSQL, as a restart does; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
            WHERE datname = current_database() AND pid <> pg_backend_pid() AND {which}
            """
        )
        return cursor.fetchone()[0]


def test_when_the_database_was_away_those_who_listened_are_told_what_they_missed(live):
    pool = PoolFactory()
    with live.listen(pool) as client, live.stream(pool) as stream:
        heard(client, 1), stream.message()
        for number in range(1, 6):
            assert cut() >= 1
            tell(pool, number)
            assert heard(client, 1)[0]["id"] == number
            assert stream.message()["id"] == number


def test_without_a_wake_up_call_it_looks_by_itself(live):
    pool = PoolFactory()
    with live.listen(pool) as client:
        heard(client, 1)
        cut("query LIKE 'LISTEN%%'")
        tell(pool, 1)
        assert heard(client, 1)[0]["id"] == 1


def test_redis_is_not_needed(transactional_db):
    away = "redis://127.0.0.1:1/0"
    process = LiveProcess(REDIS_URL=away, CELERY_BROKER_URL=away).start()
    try:
        pool = PoolFactory()
        with process.listen(pool) as client:
            heard(client, 1)
            tell(pool, 1)
            assert heard(client, 1)[0]["id"] == 1
    finally:
        process.stop()


def test_a_process_that_is_told_to_stop_does_so_also_while_nobody_reads(live):
    pool = PoolFactory()
    sleepers = [live.plain(pool) for _ in range(20)]
    with live.listen(pool) as client:
        heard(client, 1)

    assert live.stop() == 0
    assert all(sleeper.fileno() >= 0 for sleeper in sleepers)
