"""What PostgreSQL refuses of a cancellation, how far one is, and what it leaves to nobody."""

import pytest

from payments.models import Cancellation
from payments.services.cancellations import progress_of, propose_cancellation, run
from tests.factories.pools import PoolFactory
from tests.support.cancelling import cancelled, places, refused
from tests.support.playing import enter

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory(rules={"house_fee_bp": 1000})


class TestGuards:
    def test_one_cancellation_of_a_pool(self, pool, finance):
        places(pool, 1)
        cancellation = propose_cancellation(pool=pool, by=finance, reason="x")
        sql = (
            "INSERT INTO payments_cancellation (pool_id, status, reason, proposed_by_id)"
            " VALUES (%s, 'proposed', 'x', %s)"
        )
        assert refused(sql, [pool.pk, finance.pk]) == "cancellation_once"
        same = "UPDATE payments_cancellation SET status = 'running', decided_by_id = proposed_by_id, decided_at = now()"
        assert refused(same) == "cancellation_two_names"
        assert refused("UPDATE payments_cancellation SET status = 'done'") == "status_map"
        assert refused("DELETE FROM payments_cancellation") == "never_deleted"
        assert refused("DELETE FROM payments_cancellationchange") == "append_only"
        assert Cancellation.objects.get() == cancellation


class TestProgress:
    def test_it_says_how_far_the_money_is(self, pool, django_assert_num_queries):
        places(pool, 2)
        cancellation = cancelled(pool)
        run(cancellation.pk)
        progress = progress_of(cancellation)
        assert (progress.places_total, progress.places_given_back, progress.percent) == (2, 2, 100)
        assert [(one.status, one.count, one.amount_cents) for one in progress.refunds] == [("sending", 2, 10000)]
        with django_assert_num_queries(6):
            progress_of(cancellation)


def test_a_winner_of_a_pool_that_is_cancelled_wins_nothing(finance):
    pool = PoolFactory()
    entry = enter(pool, "ANT")
    assert entry.prize_cents is None
