"""Cases 30, 31 and 37 of the catalogue: no money at all, too little of it, and the same fee twice."""

import pytest

from config import outbox
from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry, EntryStatus, PaymentStatus
from payments.models import Discrepancy, ManualRecord, Payment, Receipt, Refund
from payments.services.inbox import sweep_events
from payments.services.refunds.deciding import request_refund
from pools.models import Pool
from pools.services.pools import create_pool
from tests.factories.accounts import FinanceFactory, ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league
from tests.payments.test_manual_api import decide, record
from tests.payments.test_money_admin import confirm
from tests.support.by_hand import cash
from tests.support.charging import balance, balances
from tests.support.payments import code_of, deliver, opened, start, started

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def house():
    """A pool that keeps a tenth of each fee of 50 dollars."""
    return PoolFactory(rules={"house_fee_bp": 1000})


class TestCase30:
    """Amount 0, or nothing to pay: no provider, and an entry all the same."""

    def test_30_a_free_place_never_reaches_a_provider(self, api, player, double):
        free = RequestFactory(paid=True, user=player, fee_cents=0)

        assert code_of(start(api(player), free)) == (409, "ALREADY_PAID")
        assert opened(double) == []
        assert not Payment.objects.exists()

    def test_30_a_place_without_a_fee_owes_nothing(self, api, player, double):
        owing = RequestFactory(approved=True, user=player, fee_cents=0)

        assert code_of(start(api(player), owing)) == (422, "PAYMENT_NOT_DUE")
        assert opened(double) == []

    def test_30_a_free_pool_makes_the_entry_at_approval(self, api, player, finance, double):
        pool = PoolFactory(entry_fee_cents=0)
        asked = api(player).post(f"/api/v1/pools/{pool.pk}/requests").json()["data"]

        answer = api(ModeratorFactory()).post(f"/api/v1/requests/{asked['id']}/approve")

        assert answer.json()["data"]["payment_status"] == "completed"
        entry = Entry.objects.get()
        money = api(finance).get(f"/api/v1/entries/{entry.pk}/money").json()["data"]
        assert (money["money"], money["receipt"], money["fee_cents"]) == ("free", None, 0)
        assert opened(double) == []
        assert balances() == {}

    def test_30_a_waived_fee_is_the_houses_and_has_a_name(self, api, client, player, finance, house, double):
        request = RequestFactory(approved=True, user=player, pool=house)
        client.force_login(finance)

        confirm(client, "unpaidrequest", "waive", request, reason="won the raffle")

        entry = Entry.objects.get(request=request)
        money = api(finance).get(f"/api/v1/entries/{entry.pk}/money").json()["data"]
        assert (money["money"], money["receipt"]) == ("waiver", None)
        assert money["waiver"] == {"by": finance.pk, "by_name": finance.display_name, "reason": "won the raffle"}
        assert opened(double) == []
        assert (balance("prize_pot", pool=house.pk), balance("waived_fees", pool=house.pk)) == (-4500, 4500)
        assert balance("clearing") == balance("fee_revenue") == 0
        assert code_of(start(api(player), request)) == (409, "ALREADY_PAID")

    def test_30_waived_once_it_is_in_no_list_to_be_waived_again(self, client, finance, house, double):
        request = RequestFactory(approved=True, pool=house)
        client.force_login(finance)

        assert confirm(client, "unpaidrequest", "waive", request, reason="a gift") == ["1 of 1 let in without the fee."]

        assert request.user.email not in client.get("/admin/payments/unpaidrequest/").content.decode()
        assert balance("prize_pot", pool=house.pk) == -4500

    def test_30_where_waiving_fails_nothing_is_booked(self, client, finance, house, double):
        request = RequestFactory(approved=True, pool=house)
        Pool.objects.filter(pk=house.pk).update(status="finished")
        client.force_login(finance)

        confirm(client, "unpaidrequest", "waive", request, reason="a gift")

        assert not Entry.objects.exists()
        assert balances() == {}


class TestCase31:
    """Less than the provider takes at all is refused before anybody could pay it."""

    @pytest.mark.parametrize(("fee", "currency"), [(1, "usd"), (49, "usd"), (29, "gbp"), (49, "jpy")])
    def test_31_a_fee_that_cannot_be_charged_is_refused_with_the_pool(self, admin_user, fee, currency):
        with pytest.raises(DomainError) as refusal:
            create_pool(
                competition=league(), name="Too small", created_by=admin_user, rules={}, entry_fee_cents=fee,
                currency=currency,
            )  # fmt: skip

        assert list(refusal.value.details) == ["entry_fee_cents"]
        assert not Pool.objects.filter(name="Too small").exists()


class TestCase37:
    """Card and by hand for one request: the first has the place, the second waits for a person."""

    def by_hand(self, api, request, **changes):
        answer = record(api(FinanceFactory()), request, **changes)
        assert answer.status_code == 201, answer.content
        return ManualRecord.objects.get(pk=answer.json()["data"]["id"])

    def card(self, api, request, double):
        payment = started(api(request.user), request, key=f"key-{request.pk}")
        double.pay(payment.checkout_url)
        return payment

    def held(self, receipt):
        doubt = Discrepancy.objects.get(kind="duplicate_payment")
        assert doubt.object_key == f"receipt:{receipt.pk}"
        return receipt.status, receipt.unapplied_because, balance("unallocated")

    def test_37_card_first_then_by_hand(self, api, finance, unpaid, double):
        self.card(api, unpaid, double)
        deliver(double)
        sweep_events()

        decide(api(finance), self.by_hand(api, unpaid), "confirm")

        card, by_hand = Receipt.objects.order_by("pk")
        assert (card.provider, card.entry) == ("stripe", Entry.objects.get())
        assert self.held(by_hand) == ("unapplied", "duplicate", -5000)
        assert not Refund.objects.exists()

    def test_37_by_hand_first_then_a_card_that_was_faster_than_its_news(self, api, finance, unpaid, double):
        """The page was paid before the record closed it: the place is the card's, what is in hand waits."""
        self.card(api, unpaid, double)

        decide(api(finance), self.by_hand(api, unpaid), "confirm")
        deliver(double)
        sweep_events()

        card, by_hand = Receipt.objects.order_by("pk")
        assert (card.provider, card.status) == ("stripe", "allocated")
        assert self.held(by_hand) == ("unapplied", "duplicate", -5000)

    def test_37_by_hand_first_then_the_card_cannot_be_charged(self, api, player, finance, unpaid, double):
        page = started(api(player), unpaid)

        decide(api(finance), self.by_hand(api, unpaid), "confirm")

        assert double.pay(f"{double.base_url}/pay/{page.provider_reference}")[0] == 410
        assert code_of(start(api(player), unpaid, key="another")) == (409, "ALREADY_PAID")
        assert Receipt.objects.get().provider == "manual"

    def test_37_by_hand_twice(self, api, finance, unpaid, double):
        decide(api(finance), self.by_hand(api, unpaid), "confirm")
        decide(api(finance), self.by_hand(api, unpaid, reference="receipt 13"), "confirm")

        first, second = Receipt.objects.order_by("pk")
        assert (first.status, Entry.objects.count()) == ("allocated", 1)
        assert self.held(second) == ("unapplied", "duplicate", -5000)

    def test_37_giving_the_second_back_leaves_the_entry(self, api, finance, unpaid, double):
        self.card(api, unpaid, double)
        deliver(double)
        sweep_events()
        decide(api(finance), self.by_hand(api, unpaid), "confirm")
        second = Receipt.objects.get(provider="manual")

        refund = hand_back(second)
        decide(api(FinanceFactory()), refund.manual_record, "confirm")
        outbox.drain()

        second.refresh_from_db()
        unpaid.refresh_from_db()
        assert second.status == "returned"
        assert (Entry.objects.get().status, unpaid.payment_status) == (EntryStatus.ACTIVE, PaymentStatus.COMPLETED)
        assert balance("clearing", provider="manual") == balance("unallocated") == balance("refund_payable") == 0
        assert balance("prize_pot", pool=unpaid.pool_id) == -5000


def hand_back(receipt):
    return request_refund(
        receipt_id=receipt.pk, amount_cents=None, taken_from="unapplied", reason="paid twice", by=FinanceFactory(),
        now=database_now(), manual=cash(),
    )  # fmt: skip
