"""Web servers that are restarted one after the other under load: nobody who is served notices."""

import itertools
import json
import signal
import time

import pytest

from entries.models import PickChange
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league
from tests.support.doors import token_of
from tests.support.running import wait_for
from tests.support.serving import Balancer, Load, half_sent, status_of

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

RESTARTS = 20
# Longer than the balancer needs to notice: twice its interval, and twice an answer on a busy machine.
DRAIN_SECONDS = 3


class Visitor:
    """Looks at pools and saves picks in turns, another team each time."""

    def __init__(self, balancer):
        self.balancer = balancer
        self.entry = EntryFactory(in_pool=PoolFactory(competition=league(codes=("ANT", "BAT"))))
        self.teams = itertools.cycle(("ANT", "BAT"))
        self.turns = itertools.cycle((self.look, self.save))
        self.renew()

    def renew(self):
        """A token lasts ten minutes."""
        self.token = token_of(self.entry.user)

    def __call__(self):
        return next(self.turns)()

    def look(self):
        return self.balancer.call("GET", "/api/v1/pools")

    def save(self):
        path, body = f"/api/v1/entries/{self.entry.pk}/picks/1", json.dumps({"team": next(self.teams)}).encode()
        sent = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        return self.balancer.call("PUT", path, body, **sent)


def test_no_request_is_dropped_in_twenty_restarts(server):
    servers = [server(drain=DRAIN_SECONDS), server(drain=DRAIN_SECONDS)]
    for one in servers:
        one.wait()
    with Balancer(servers) as balancer, Load(visitor := Visitor(balancer)) as load:
        for turn, one in zip(range(RESTARTS), itertools.cycle(servers), strict=False):
            before = len(load.answers)
            visitor.renew()
            assert one.end() == 0
            one.start().wait()
            wait_for(lambda: len(balancer.ready) == len(servers), seconds=30)
            assert len(load.answers) > before
            print(f"restart {turn + 1}: {len(load.answers)} answers, {len(load.dropped)} dropped", flush=True)
    assert load.dropped == []
    assert set(load.answers) == {200}
    assert PickChange.objects.count() > RESTARTS


def test_readiness_goes_first_then_what_is_under_way_is_finished(server):
    one = server(drain=DRAIN_SECONDS).wait()
    body = json.dumps({"email": "ann@example.com", "password": "not-the-right-one"}).encode()
    under_way = half_sent(one.port, "/api/v1/auth/token", body)
    one.process.send_signal(signal.SIGTERM)
    told_at = time.monotonic()

    assert wait_for(lambda: one.readiness() == 503, seconds=DRAIN_SECONDS, every=0.02)
    stubborn = Balancer([one])
    stubborn.ready = {one.port}
    assert stubborn.call("GET", "/api/v1/competitions") == 200
    assert one.process.poll() is None
    wait_for(lambda: one.readiness() == 0, seconds=20, every=0.02)
    assert time.monotonic() - told_at >= DRAIN_SECONDS
    under_way.sendall(body[len(body) // 2 :])
    assert status_of(under_way) == 401
    assert one.process.wait(30) == 0


def test_a_second_word_shortens_the_wait(server):
    one = server(drain=120).wait()
    one.process.send_signal(signal.SIGTERM)
    assert wait_for(lambda: one.readiness() == 503, seconds=20, every=0.02)
    assert one.end() == 0


@pytest.mark.parametrize(("drain", "how"), [(0, signal.SIGTERM), (120, signal.SIGINT)])
def test_where_nobody_has_to_notice_it_ends_at_once(server, drain, how):
    one = server(drain=drain).wait()
    assert one.end(how) == 0


def test_every_worker_knows(server):
    one = server(drain=120, workers=2).wait()
    one.process.send_signal(signal.SIGTERM)
    wait_for(lambda: one.readiness() == 503, seconds=20, every=0.02)
    assert {one.readiness() for _ in range(20)} == {503}
