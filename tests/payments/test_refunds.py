"""Giving money back: out of whose pocket, with whose name, and what the books say of it."""

from datetime import timedelta

import pytest

from config import outbox
from config.clock import database_now
from config.errors import DomainError
from entries.models import Entry, PaymentStatus
from payments.models import ManualRecord, Refund
from payments.services.refunds.deciding import approve_refund, decline_refund, give_back_place, replace_refund
from payments.services.refunds.external import settle_external
from pools.models import Game, PoolStatus
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.factories.pools import PoolFactory, league
from tests.support.by_hand import cash, paid_by_hand
from tests.support.charging import balances, held_receipt, learn, paid_receipt
from tests.support.refunding import asked, at_stripe, doubts, fresh, sent
from tests.support.refusals import refused
from tests.support.stories import agreed_books

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def colleague():
    return FinanceFactory()


@pytest.fixture
def pool():
    return PoolFactory(competition=league(first_kickoff_in=timedelta(days=60)), rules={"house_fee_bp": 1000})


@pytest.fixture
def unpaid(player, pool):
    return RequestFactory(approved=True, user=player, pool=pool)


@pytest.fixture
def receipt(api, unpaid, double):
    return paid_receipt(api, unpaid, double)


@pytest.fixture
def held(api, unpaid, double):
    """Money whose player is gone: it waits for a person."""
    return held_receipt(api, unpaid, double)


def begin(pool):
    """The first round has locked, and the pool plays."""
    Game.objects.filter(round__competition=pool.competition).update(kickoff_at=database_now() - timedelta(hours=1))
    pool.status = PoolStatus.RUNNING
    pool.save(update_fields=["status"])


class TestAPlace:
    def test_it_is_taken_back_with_all_of_its_fee(self, receipt, finance, double, unpaid):
        refund = sent(asked(receipt, finance))

        unpaid.refresh_from_db()
        assert (refund.status, refund.amount_cents, refund.is_paid) == ("succeeded", 5000, True)
        assert (Entry.objects.get().status, unpaid.payment_status) == ("void", PaymentStatus.REFUNDED)
        assert fresh(receipt).status == "returned"
        assert at_stripe(double) == [(5000, "succeeded")]
        assert balances().get("prize_pot", 0) == balances().get("fee_revenue", 0) == 0
        assert balances().get("refund_payable", 0) == balances().get("unallocated", 0) == 0

    def test_a_part_of_it_is_refused(self, receipt, finance):
        with pytest.raises(DomainError) as refusal:
            asked(receipt, finance, amount=4999)
        told = "A place is taken back with all that is left of its fee: 50.00 USD."
        assert refusal.value.details == {"amount_cents": [told]}

    def test_once_the_first_round_has_locked_the_pot_is_the_players(self, receipt, finance, pool):
        begin(pool)

        assert refused(asked, receipt, finance) == "REFUND_NOT_ALLOWED"
        assert Entry.objects.get().status == "active"

    def test_it_is_taken_back_in_a_cancelled_pool_at_any_time(self, receipt, finance, pool):
        begin(pool)
        pool.status = PoolStatus.CANCELLED
        pool.save(update_fields=["status"])

        assert sent(asked(receipt, finance)).status == "succeeded"

    def test_what_the_house_gave_before_comes_out_of_the_fee(self, receipt, finance, double):
        sent(asked(receipt, finance, taken_from="house", amount=1000))
        refund = sent(asked(receipt, finance))

        assert refund.amount_cents == 4000
        assert fresh(receipt).status == "returned"
        assert balances().get("goodwill", 0) == balances().get("unallocated", 0) == 0
        assert sum(amount for amount, _ in at_stripe(double)) == 5000

    def test_also_where_what_the_house_gave_never_arrived(self, receipt, finance, double):
        first = sent(asked(receipt, finance, taken_from="house", amount=1000))
        double.move_refund(first.provider_reference, "failed", failure_reason="lost_or_stolen_card")
        learn(receipt)
        refund = sent(asked(receipt, finance))
        sent(replace_refund(refund_id=first.pk, by=finance, reason="again"))

        assert (refund.amount_cents, fresh(receipt).status) == (4000, "returned")
        assert balances().get("goodwill", 0) == balances().get("unallocated", 0) == 0
        assert balances().get("refund_payable", 0) == 0

    def test_the_player_is_told(self, receipt, finance, player, mailoutbox):
        sent(asked(receipt, finance))
        outbox.drain()

        (mail,) = [mail for mail in mailoutbox if mail.subject.startswith("Refund")]
        assert mail.to == [player.email]
        assert "we have sent 50.00 USD back to where it came from" in mail.body
        assert "What the payment had bought is taken back with it." in mail.body


class TestTheHouse:
    def test_place_and_pot_stay(self, receipt, finance, pool, double):
        begin(pool)
        refund = sent(asked(receipt, finance, taken_from="house", amount=700))

        assert refund.status == "succeeded"
        assert (fresh(receipt).status, Entry.objects.get().status) == ("allocated", "active")
        assert (balances()["prize_pot"], balances()["fee_revenue"], balances()["goodwill"]) == (-4500, -500, 700)

    def test_more_than_came_is_refused(self, receipt, finance):
        asked(receipt, finance, taken_from="house", amount=400)

        assert refused(asked, receipt, finance, taken_from="house", amount=4601) == "REFUND_TOO_LARGE"

    def test_of_money_without_a_place_it_gives_nothing(self, finance):
        assert refused(asked, unapplied_money(), finance, taken_from="house") == "REFUND_NOT_ALLOWED"


class TestMoneyWithoutAPlace:
    def test_a_part_goes_and_the_rest_stays(self, held, finance, double):
        sent(asked(held, finance, taken_from="unapplied", amount=2000))

        assert (fresh(held).status, doubts()) == ("unapplied", ["held_money"])
        assert balances()["unallocated"] == -3000

        sent(asked(held, finance, taken_from="unapplied"))

        assert (fresh(held).status, doubts()) == ("returned", [])
        assert at_stripe(double) == [(2000, "succeeded"), (3000, "succeeded")]

    def test_of_a_place_s_money_nothing_is_taken_as_if_it_had_none(self, receipt, finance):
        assert refused(asked, receipt, finance, taken_from="unapplied") == "REFUND_NOT_ALLOWED"

    def test_more_than_is_left_is_refused_also_when_the_first_failed(self, held, finance, double):
        first = sent(asked(held, finance, taken_from="unapplied", amount=3000))
        double.move_refund(first.provider_reference, "failed", failure_reason="unknown")
        learn(held)

        # What failed is owed: it is sent again, never given a second time out of what is left.
        assert refused(asked, held, finance, taken_from="unapplied", amount=2001) == "REFUND_TOO_LARGE"


class TestTwoNames:
    def test_a_large_amount_waits_for_the_second(self, receipt, finance, colleague, settings):
        settings.REFUND_APPROVAL_ABOVE = 4999
        refund = asked(receipt, finance)

        assert (refund.status, refund.needs_approval, Entry.objects.get().status) == ("requested", True, "active")
        assert sent(refund).status == "requested"
        assert balances()["prize_pot"] == -4500

        approve_refund(refund_id=refund.pk, by=colleague)

        assert (sent(refund).status, Entry.objects.get().status) == ("succeeded", "void")
        assert fresh(refund).approved_by == colleague

    def test_exactly_the_limit_does_not(self, receipt, finance, settings):
        settings.REFUND_APPROVAL_ABOVE = 5000

        assert asked(receipt, finance).status == "sending"

    def test_of_the_house_s_own_a_tenth_of_it_does(self, receipt, finance):
        assert asked(receipt, finance, taken_from="house", amount=1000).status == "sending"
        assert asked(receipt, finance, taken_from="house", amount=1).status == "requested"

    def test_many_small_ones_count_together(self, held, finance, settings):
        settings.REFUND_APPROVAL_ABOVE = 2500

        told = [asked(held, finance, taken_from="unapplied", amount=1000).status for _ in range(4)]
        assert told == ["sending", "sending", "requested", "requested"]

    @pytest.mark.parametrize(("currency", "fee", "limit"), [("jpy", 5000, 100), ("kwd", 50_000, 100_000)])
    def test_the_limit_is_counted_in_whole_units(self, finance, currency, fee, limit):
        pool = PoolFactory(entry_fee_cents=fee, currency=currency)
        receipt = paid_entry(RequestFactory(approved=True, pool=pool)).receipts.get()

        over = asked(receipt, finance).needs_approval
        assert over is (fee > limit)

    def test_nobody_approves_their_own_wish(self, receipt, finance, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        refund = asked(receipt, finance)

        assert refused(approve_refund, refund_id=refund.pk, by=finance) == "FORBIDDEN"

    def test_nobody_gives_money_to_themselves(self, colleague, finance, settings):
        receipt = paid_entry(RequestFactory(approved=True, user=finance)).receipts.get()

        assert refused(asked, receipt, finance) == "FORBIDDEN"
        settings.REFUND_APPROVAL_ABOVE = 0
        refund = asked(receipt, colleague)
        assert refused(approve_refund, refund_id=refund.pk, by=finance) == "FORBIDDEN"

    def test_what_is_approved_is_approved_once(self, receipt, finance, colleague, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        refund = asked(receipt, finance)
        approve_refund(refund_id=refund.pk, by=colleague)

        assert refused(approve_refund, refund_id=refund.pk, by=FinanceFactory()) == "INVALID_TRANSITION"

    def test_the_lock_may_have_passed_in_the_meantime(self, receipt, finance, colleague, settings, pool):
        settings.REFUND_APPROVAL_ABOVE = 0
        refund = asked(receipt, finance)
        begin(pool)

        assert refused(approve_refund, refund_id=refund.pk, by=colleague) == "REFUND_NOT_ALLOWED"

    def test_a_wish_is_declined_and_then_another_may_be_made(self, receipt, finance, colleague, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        refund = asked(receipt, finance)
        assert refused(asked, receipt, finance) == "REFUND_NOT_ALLOWED"

        decline_refund(refund_id=refund.pk, by=colleague, reason="not now")

        assert (fresh(refund).status, fresh(receipt).status) == ("cancelled", "allocated")
        assert asked(receipt, finance).status == "requested"

    def test_what_is_decided_is_not_declined(self, receipt, finance, colleague):
        refund = asked(receipt, finance)

        assert refused(decline_refund, refund_id=refund.pk, by=colleague, reason="late") == "INVALID_TRANSITION"

    @pytest.mark.parametrize("reason", ["", "   ", "x" * 501])
    def test_it_takes_a_reason(self, receipt, finance, reason):
        assert refused(asked, receipt, finance, reason=reason) == "VALIDATION_ERROR"


class TestByHand:
    def test_cash_goes_back_by_hand_with_two_names(self, unpaid, finance, colleague, double):
        paid_by_hand(unpaid)
        receipt = Entry.objects.get().receipts.get()
        assert refused(asked, receipt, finance) == "VALIDATION_ERROR"

        refund = asked(receipt, finance, manual=cash("back 1"))
        assert (refund.status, refund.needs_approval) == ("requested", True)
        approve_refund(refund_id=refund.pk, by=colleague)

        assert sent(refund).status == "succeeded"
        assert (fresh(receipt).status, Entry.objects.get().status) == ("returned", "void")
        assert ManualRecord.objects.get(refund=refund).status == "confirmed"
        assert {kind: cents for kind, cents in balances().items() if cents} == {}
        assert at_stripe(double) == []

    def test_what_came_by_card_goes_back_to_the_card(self, receipt, finance):
        assert refused(asked, receipt, finance, manual=cash()) == "VALIDATION_ERROR"

    def test_a_failed_one_may_be_handed_over(self, receipt, finance, colleague, double):
        first = sent(asked(receipt, finance))
        double.move_refund(first.provider_reference, "failed", failure_reason="expired_or_canceled_card")
        learn(receipt)
        assert (fresh(first).status, fresh(receipt).status, doubts()) == ("failed", "returning", ["refund_failed"])
        assert balances()["refund_payable"] == -5000

        second = replace_refund(refund_id=first.pk, by=finance, reason="card is closed", manual=cash("back 2"))
        assert refused(replace_refund, refund_id=first.pk, by=finance, reason="twice") == "REFUND_NOT_ALLOWED"
        approve_refund(refund_id=second.pk, by=colleague)
        sent(second)

        assert (fresh(second).status, fresh(receipt).status, doubts()) == ("succeeded", "returned", [])
        assert balances().get("refund_payable", 0) == 0


class TestGivingBackPlaces:
    def test_wishes_that_wait_make_room(self, receipt, finance, settings):
        wish = asked(receipt, finance, taken_from="house", amount=2000)
        assert wish.status == "requested"

        refund = give_back_place(receipt=receipt, origin="cancellation", reason="cancelled", by=finance)

        assert (fresh(wish).status, refund.amount_cents, refund.origin) == ("cancelled", 5000, "cancellation")

    def test_twice_is_as_good_as_once(self, receipt, finance):
        give_back_place(receipt=receipt, origin="cancellation", reason="cancelled", by=finance)

        assert give_back_place(receipt=receipt, origin="cancellation", reason="cancelled", by=finance) is None
        assert Refund.objects.count() == 1

    def test_of_disputed_money_the_place_alone_is_taken(self, receipt, finance, double):
        double.dispute(charge=receipt.charge_id)
        learn(receipt)

        assert give_back_place(receipt=receipt, origin="cancellation", reason="cancelled", by=finance) is None

        receipt.refresh_from_db()
        assert (receipt.status, receipt.unapplied_because, receipt.entry) == ("unapplied", "disputed", None)
        assert (Entry.objects.get().status, balances().get("prize_pot", 0)) == ("void", 0)


class TestCurrencies:
    @pytest.mark.parametrize(("currency", "fee"), [("jpy", 5000), ("kwd", 5010), ("usd", 5001)])
    def test_what_comes_goes_back_to_the_last_unit(self, api, player, double, finance, currency, fee):
        pool = PoolFactory(entry_fee_cents=fee, currency=currency, rules={"house_fee_bp": 333})
        receipt = paid_receipt(api, RequestFactory(approved=True, user=player, pool=pool), double)
        refund = sent(approved(asked(receipt, finance)))

        assert (refund.status, refund.amount_cents, fresh(receipt).status) == ("succeeded", fee, "returned")
        found = balances(currency=currency)
        assert {kind for kind, cents in found.items() if cents} <= {"clearing", "provider_fees"}

    def test_kuwait_is_refunded_in_hundredths(self, api, player, double, finance):
        pool = PoolFactory(entry_fee_cents=5010, currency="kwd")
        receipt = paid_receipt(api, RequestFactory(approved=True, user=player, pool=pool), double)

        assert refused(asked, receipt, finance, taken_from="house", amount=1001) == "VALIDATION_ERROR"
        assert sent(asked(receipt, finance, taken_from="house", amount=1000)).status == "succeeded"


def approved(refund):
    if refund.status == "requested":
        approve_refund(refund_id=refund.pk, by=FinanceFactory())
    return refund


def test_books_and_double_agree_in_the_end(api, player, pool, double, finance):
    receipts = [
        paid_receipt(api, RequestFactory(approved=True, user=player, pool=pool, number=n), double, key=f"key-{n}")
        for n in (1, 2, 3)
    ]
    sent(asked(receipts[0], finance))
    sent(asked(receipts[1], finance, taken_from="house", amount=500))
    for receipt in receipts:
        learn(receipt)

    books = agreed_books(double)
    assert (books["prize_pot"], books["fee_revenue"], books["goodwill"]) == (-9000, -1000, 500)


class TestMadePastUs:
    @pytest.fixture
    def external(self, receipt, double):
        double.dashboard_refund(charge=receipt.charge_id, amount=1500)
        learn(receipt)
        return Refund.objects.get()

    def test_the_place_is_taken_and_the_rest_goes_back_as_well(self, external, receipt, finance, double):
        settle_external(refund_id=external.pk, by=finance, bearer="place", reason="he left")
        rest = Refund.objects.get(origin="staff")
        sent(rest)

        assert (rest.amount_cents, fresh(external).taken_from, doubts()) == (3500, "unapplied", [])
        assert (fresh(receipt).status, Entry.objects.get().status) == ("returned", "void")
        assert {kind for kind, cents in balances().items() if cents} <= {"clearing", "provider_fees"}

    def test_a_rest_that_needs_two_names_is_asked_for_like_any_other(self, external, receipt, finance, settings):
        settings.REFUND_APPROVAL_ABOVE = 3000
        assert refused(settle_external, refund_id=external.pk, by=finance, bearer="place", reason="x") == (
            "REFUND_NOT_ALLOWED"
        )

        approve_refund(refund_id=asked(receipt, finance).pk, by=FinanceFactory())

        assert (fresh(external).taken_from, doubts()) == ("unapplied", [])

    def test_the_house_bears_it_once_the_contest_has_begun(self, external, receipt, finance, pool):
        begin(pool)
        assert refused(settle_external, refund_id=external.pk, by=finance, bearer="place", reason="x") == (
            "REFUND_NOT_ALLOWED"
        )

        settle_external(refund_id=external.pk, by=finance, bearer="house", reason="our mistake")

        assert (fresh(receipt).status, doubts()) == ("allocated", [])
        assert (balances()["goodwill"], balances().get("suspense", 0), balances()["prize_pot"]) == (1500, 0, -4500)

    def test_one_that_was_explained_and_then_fails_is_owed(self, external, receipt, finance, double):
        settle_external(refund_id=external.pk, by=finance, bearer="house", reason="our mistake")
        double.move_refund(external.provider_reference, "failed", failure_reason="unknown")
        learn(receipt)

        assert doubts() == ["refund_failed"]
        assert (balances()["refund_payable"], balances().get("suspense", 0)) == (-1500, 0)

    def test_nobody_explains_their_own(self, external, player):
        assert refused(settle_external, refund_id=external.pk, by=player, bearer="house", reason="x") == "FORBIDDEN"
