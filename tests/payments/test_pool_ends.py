"""What ends with a pool, in numbers: on the confirm pages of whoever cancels it, alone or with its money."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from payments.services.cancellations import propose_cancellation
from pools.admin.pool_ends import what_ends
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money
from tests.factories.pools import PoolFactory
from tests.pools.conftest import back_office, choose

__all__ = ["back_office", "choose"]
pytestmark = pytest.mark.django_db

POOLS = reverse("admin:pools_pool_changelist")
CANCELLATIONS = reverse("admin:payments_cancellation_changelist")


def busy_pool(name="Main"):
    """Two who wait, two who owe (one of them is paying), and money that came too late."""
    pool = PoolFactory(name=name)
    RequestFactory.create_batch(2, pool=pool)
    RequestFactory(pool=pool, approved=True)
    payment_for(RequestFactory(pool=pool, approved=True))
    RequestFactory(pool=pool, status="withdrawn")
    unapplied_money(RequestFactory(pool=pool, status="withdrawn", fee_cents=5000, currency="usd"))
    return pool


ENDS = [
    "Main: requests not decided, which are turned down: 2.",
    (
        "Main: requests approved and not paid, which are withdrawn: 2. Places that they hold: 2; "
        "money that they owe: 100.00 USD."
    ),
    "Main: payments begun and not ended, which make no entry any more: 1, of 50.00 USD.",
    "Main: receipts without a place, which somebody gives back: 1, of 50.00 USD.",
]

REFUSED = (
    "Paid is refused: paid places 1, still in 1, in its pot 50.00 USD. “Cancel and give all money back” on its page"
    " ends it, with two names."
)


def test_cancelling_says_first_what_ends_with_each_pool(back_office, choose, moderator):
    paid = PoolFactory(name="Paid")
    paid_entry(RequestFactory(approved=True, pool=paid))
    quiet = PoolFactory(name="Quiet")
    rows = [busy_pool(), paid, quiet, PoolFactory(status="cancelled")]
    said = choose(back_office(moderator), POOLS, "cancel", rows).context["sentences"]
    assert said == [
        "3 of 4 have not ended; without entries, so that they end for good: 2.",
        "Requests that wait for a decision or for their money end with it, and the players get a mail.",
        *ENDS,
        REFUSED,
    ]
    quiet.refresh_from_db()
    assert quiet.status == "open"


def test_cancelling_with_the_money_says_the_same(back_office, choose, finance):
    pool = busy_pool()
    paid_entry(RequestFactory(approved=True, pool=pool))
    proposal = propose_cancellation(pool=pool, by=FinanceFactory(), reason="Too few.")
    said = choose(back_office(finance), CANCELLATIONS, "confirm", [proposal]).context["sentences"]
    assert said[1] == "Main ends at once. Paid places that are given back: 1; in its pot: 50.00 USD. Why: Too few."
    assert said[2:6] == ENDS


def test_three_pools_cost_as_much_as_one():
    pools = [busy_pool(f"Pool {number}") for number in range(3)]

    def queries(some) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert len(what_ends(some)) == 4 * len(some)
        return len(seen)

    assert queries(pools[:1]) == queries(pools) == 3
