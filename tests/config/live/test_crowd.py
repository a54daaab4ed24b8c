"""A thousand sockets through a lock and a settlement: each hears everything once and in order."""

import pytest

from config.local.benches.ears import Heard
from config.local.benches.listening import crowd, expect_all, resident
from config.local.benches.runs import Meaningless
from config.local.benches.serving import percentile
from pools.models import PoolEvent
from tests.factories.pools import CODES, PoolFactory, league
from tests.support.live import LiveProcess
from tests.support.playing import enter, play_as_told

SOCKETS = 1000


@pytest.mark.slow
def test_a_thousand_sockets_hear_each_event_once_and_in_order(transactional_db, capsys):
    live = LiveProcess(LIVE_CLIENTS_PER_ADDRESS=str(SOCKETS)).start()
    pool = PoolFactory(competition=league(rounds=2, codes=CODES))
    for code in (*CODES, None, None):
        enter(pool, code)
    try:
        before = resident(live.process.pid)
        with crowd(live.port, pool.pk, SOCKETS) as until:
            held = resident(live.process.pid) - before
            play_as_told(pool.competition.rounds.get(number=1))
            last = PoolEvent.objects.filter(pool=pool).count()
            heard = until(last)
    finally:
        live.stop()

    told = ", ".join(f"{share} of 100 within {percentile(heard.lags, share):.3f} s" for share in (50, 99, 100))
    with capsys.disabled():
        print(f"\n{SOCKETS} sockets, {last} events: {told} after the commit; {held / SOCKETS:.1f} kB a socket")
    assert last == 2 + 4 + 1
    assert (heard.hung_up, heard.orders) == (0, {",".join(map(str, range(1, last + 1))): SOCKETS})


@pytest.mark.parametrize(
    "heard",
    [
        Heard({"1,2,3": 9, "1,3": 1}, [], 0),
        Heard({"1,2,2,3": 10}, [], 0),
        Heard({"2,1,3": 10}, [], 0),
        Heard({"1,2,3": 9}, [], 1),
        Heard({"1,2": 10}, [], 0),
    ],
)
def test_a_crowd_that_missed_something_measures_nothing(heard):
    with pytest.raises(Meaningless):
        expect_all(heard, sockets=10, numbers=range(1, 4))


def test_a_crowd_that_heard_next_to_nothing_measures_nothing():
    with pytest.raises(Meaningless):
        expect_all(Heard({"1": 10}, [], 0), sockets=10, numbers=range(1, 2))


def test_a_crowd_that_heard_all_measures_something():
    everything = range(5, 40)
    expect_all(Heard({",".join(map(str, everything)): 10}, [], 0), sockets=10, numbers=everything)
