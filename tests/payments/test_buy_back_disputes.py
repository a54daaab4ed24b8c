"""A disputed buy-back: what is lost is the return, and the entry falls again where it fell."""

import pytest

from entries.models import Entry
from tests.support.buying_back import ask, fallen_in, generous_pool, settle
from tests.support.charging import balance, learn, paid_receipt

pytestmark = pytest.mark.django_db(transaction=True)


class TestBuyBack:
    @pytest.fixture
    def bought(self, api, player, double):
        """The receipt of a return into a pool that has begun."""
        request = ask(fallen_in(generous_pool(), owner=player))
        receipt = learn(paid_receipt(api, request, double))
        settle(request.pool)
        return receipt

    def test_the_house_bears_it_and_the_return_is_taken(self, bought, double):
        assert bought.entry.reprieves.get().revoked_at is None
        dispute = double.dispute(charge=bought.charge_id)
        learn(bought)
        assert Entry.objects.get(pk=bought.entry_id).is_suspended
        double.move_dispute(dispute["id"], "lost")

        learn(bought)
        settle(bought.payment.request.pool)

        entry = Entry.objects.get(pk=bought.entry_id)
        assert (entry.status, entry.is_suspended) == ("eliminated", False)
        assert entry.reprieves.get().revoked_at is not None
        assert (balance("chargeback_loss"), balance("prize_pot")) == (2500, -2500)
