"""Cancelling a pool that has paid places: two names, every place given back, and nothing lost on the way."""

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from config.clock import database_now
from config.errors import Conflict, Forbidden, Malformed
from config.models import OutboxMessage
from entries.models import Entry, Request
from entries.services.lost_places import void_entry
from entries.services.places import grant_place
from entries.services.settlement import settle_competition
from payments.ledger import rules
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.balances import balance_of
from payments.ledger.posting import post
from payments.ledger.rules import Sum
from payments.models import (
    CancellationChange,
    Discrepancy,
    Dispute,
    Payment,
    Receipt,
    Refund,
)
from payments.services.cancellations import (
    confirm_cancellation,
    progress_of,
    propose_cancellation,
    run,
    sweep_cancellations,
    withdraw_cancellation,
)
from payments.services.cancellations import running as running_module
from payments.services.pots import pot_of
from tests.factories.accounts import FinanceFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, payment_for, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.by_hand import paid_by_hand
from tests.support.cancelling import cancelled, places
from tests.support.playing import play

pytestmark = pytest.mark.django_db


@pytest.fixture
def pool():
    return PoolFactory(rules={"house_fee_bp": 1000})


@pytest.fixture(autouse=True)
def patience(monkeypatch):
    """A batch is cut short by its size alone, however busy the machine is."""
    monkeypatch.setattr(running_module, "LONGEST_HOLD", 600.0)


@pytest.fixture
def second():
    return FinanceFactory()


def book_loss(receipt):
    """All of it was lost to a dispute, which the house bears."""
    now = database_now()
    Dispute.objects.create(
        receipt=receipt, provider=receipt.provider, provider_reference="dp_1", livemode=False, opened_at=now,
        amount_cents=receipt.amount_cents, currency=receipt.currency, status="lost", borne_by="house",
    )  # fmt: skip
    money = Sum(receipt.amount_cents, receipt.currency, False, now)
    post(rules.dispute_lost("dp_1", receipt.provider, money, from_unallocated=0))


def statuses(model, field="status"):
    return sorted(model.objects.values_list(field, flat=True))


def next_run():
    return OutboxMessage.objects.filter(kind="cancellation.run").order_by("-id").first()


class TestDeciding:
    def test_two_people_end_the_pool_at_once(self, pool, finance, second):
        places(pool, 2)
        waiting = RequestFactory(pool=pool)
        unpaid = RequestFactory(approved=True, pool=pool)
        proposal = propose_cancellation(pool=pool, by=finance, reason=" Too few. ")
        pool.refresh_from_db()
        assert (proposal.status, proposal.reason, pool.status) == ("proposed", "Too few.", "open")
        done = confirm_cancellation(cancellation_id=proposal.pk, by=second)
        pool.refresh_from_db()
        assert (done.status, done.places_total, done.decided_by, pool.status) == ("running", 2, second, "cancelled")
        for request, status in ((waiting, "rejected"), (unpaid, "withdrawn")):
            request.refresh_from_db()
            assert request.status == status
        assert next_run().payload == {"cancellation": done.pk, "walk": 0, "before": None}

    def test_one_person_is_not_enough(self, pool, finance):
        places(pool, 1)
        proposal = propose_cancellation(pool=pool, by=finance, reason="Too few.")
        with pytest.raises(Forbidden, match="somebody else"):
            confirm_cancellation(cancellation_id=proposal.pk, by=finance)

    @pytest.mark.parametrize("reason", ["", "  ", "x" * 501])
    def test_the_reason_is_one_that_players_can_read(self, pool, finance, reason):
        places(pool, 1)
        with pytest.raises(Malformed):
            propose_cancellation(pool=pool, by=finance, reason=reason)

    @pytest.mark.parametrize("status", ["draft", "finished", "cancelled"])
    def test_a_pool_that_nobody_plays_is_not_cancelled_like_this(self, finance, status):
        with pytest.raises(Conflict):
            propose_cancellation(pool=PoolFactory(status=status), by=finance, reason="Too few.")

    def test_a_pool_without_a_paid_place_is_cancelled_without_it(self, pool, finance):
        RequestFactory(approved=True, pool=pool)
        with pytest.raises(Conflict, match="at once"):
            propose_cancellation(pool=pool, by=finance, reason="Too few.")

    def test_it_is_proposed_once_and_again_after_a_withdrawal(self, pool, finance, second):
        places(pool, 1)
        first = propose_cancellation(pool=pool, by=finance, reason="Too few.")
        with pytest.raises(Conflict, match="already"):
            propose_cancellation(pool=pool, by=second, reason="Too few.")
        assert withdraw_cancellation(cancellation_id=first.pk, by=finance).status == "withdrawn"
        with pytest.raises(Conflict):
            confirm_cancellation(cancellation_id=first.pk, by=second)
        assert propose_cancellation(pool=pool, by=second, reason="Too few.").status == "proposed"

    def test_what_is_confirmed_is_neither_confirmed_nor_withdrawn_again(self, pool, finance):
        places(pool, 1)
        done = cancelled(pool)
        with pytest.raises(Conflict):
            confirm_cancellation(cancellation_id=done.pk, by=finance)
        with pytest.raises(Conflict):
            withdraw_cancellation(cancellation_id=done.pk, by=finance)

    def test_a_pool_that_has_finished_meanwhile_is_not_cancelled(self, finance, second):
        pool = PoolFactory()
        winner = paid_entry(RequestFactory(approved=True, pool=pool))
        proposal = propose_cancellation(pool=pool, by=finance, reason="Too few.")
        play(pool, 1)
        settle_competition(competition_id=pool.competition_id)
        pool.refresh_from_db()
        assert pool.status == "finished"
        with pytest.raises(Conflict):
            confirm_cancellation(cancellation_id=proposal.pk, by=second)
        winner.refresh_from_db()
        assert winner.status != "void"

    def test_each_player_gets_one_mail(self, pool, mailoutbox):
        player = RequestFactory(approved=True, pool=pool).user
        for number in (2, 3):
            paid_entry(RequestFactory(approved=True, pool=pool, user=player, number=number))
        places(pool, 1)
        cancelled(pool)
        mails = OutboxMessage.objects.filter(kind="mail.pool_cancelled")
        assert mails.count() == 2
        from payments.emails import send_pool_cancelled

        send_pool_cancelled(mails.get(payload__user=player.pk).payload)
        (mail,) = mailoutbox
        assert (mail.to, mail.subject) == ([player.email], f"{pool.name} is cancelled")
        assert "Too few players." in mail.body

    def test_every_step_is_told(self, pool, finance, second):
        places(pool, 1)
        done = cancelled(pool, by=finance, second=second)
        told = CancellationChange.objects.filter(subject_id=done.pk).values_list("to_status", "actor_id", "reason")
        assert list(told) == [
            ("proposed", finance.pk, "Too few players."),
            ("running", second.pk, "Too few players."),
        ]


class TestGivingBack:
    def test_every_place_is_void_and_its_money_on_its_way(self, pool):
        entries = places(pool)
        assert pot_of(pool) == 3 * 4500
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 3
        assert statuses(Entry) == ["void"] * 3
        assert statuses(Request, "payment_status") == ["refunded"] * 3
        assert statuses(Receipt) == ["returning"] * 3
        refunds = Refund.objects.values_list("status", "origin", "taken_from", "amount_cents")
        assert list(refunds) == [("sending", "cancellation", "place", 5000)] * 3
        assert pot_of(pool) == 0
        assert OutboxMessage.objects.filter(kind="refund.send").count() == 3
        assert {entry.pk for entry in entries} == set(Receipt.objects.values_list("entry", flat=True))

    def test_batches_go_on_by_messages_of_their_own(self, pool, monkeypatch):
        monkeypatch.setattr(running_module, "BATCH", 2)
        places(pool, 5)
        cancellation = cancelled(pool)
        done = []
        while (message := next_run()).done_at is None and len(done) < 3:
            before = message.payload["before"]
            done.append(run(cancellation.pk, walk=message.payload["walk"], before=before))
        assert done == [2, 2, 1]
        keys = OutboxMessage.objects.filter(kind="cancellation.run").order_by("id").values_list("key", flat=True)
        oldest = sorted(Request.objects.values_list("pk", flat=True))
        assert list(keys) == [
            f"cancellation-{cancellation.pk}-0-all",
            f"cancellation-{cancellation.pk}-0-{oldest[3]}",
            f"cancellation-{cancellation.pk}-0-{oldest[1]}",
            f"cancellation-{cancellation.pk}-1-all",
        ]

    def test_no_more_refunds_are_begun_than_the_provider_bears(self, pool, monkeypatch):
        monkeypatch.setattr(running_module, "BATCH", 2)
        places(pool, 3)
        cancellation = cancelled(pool)
        run(cancellation.pk)
        wait = (next_run().due_at - database_now()).total_seconds()
        assert 0.05 < wait <= 2 / running_module.SENT_A_SECOND

    def test_a_batch_that_takes_long_is_cut_short_and_goes_on(self, pool, monkeypatch):
        monkeypatch.setattr(running_module, "LONGEST_HOLD", 0.0)
        places(pool, 2)
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 1
        before = next_run().payload["before"]
        assert before == max(Request.objects.values_list("pk", flat=True))
        assert run(cancellation.pk, before=before) == 1

    def test_a_second_run_finds_nothing_to_do(self, pool):
        places(pool)
        cancellation = cancelled(pool)
        run(cancellation.pk)
        assert run(cancellation.pk) == 0
        assert Refund.objects.count() == 3

    def test_waived_and_free_places_are_taken_back_without_money(self, pool, finance):
        request = RequestFactory(approved=True, pool=pool)
        grant_place(request=request, by=finance, now=database_now(), waiver_reason="a prize")
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 1
        assert statuses(Entry) == ["void"]
        assert not Refund.objects.exists()
        assert pot_of(pool) == 0
        cancellation.refresh_from_db()
        assert cancellation.status == "done"

    def test_a_fee_whose_loss_the_house_bore_leaves_the_pot_for_the_house(self, pool):
        (entry,) = places(pool, 1)
        void_entry(entry=entry, by=None, reason="lost dispute")
        Receipt.objects.update(status="charged_back")
        book_loss(Receipt.objects.get())
        assert pot_of(pool) == 4500
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 1
        assert (pot_of(pool), Refund.objects.count()) == (0, 0)
        assert balance_of(AccountName(Kind.CHARGEBACK_LOSS), "usd", livemode=False) == 0
        assert balance_of(AccountName(Kind.UNALLOCATED), "usd", livemode=False) == 0
        cancellation.refresh_from_db()
        assert cancellation.status == "done"

    def test_money_that_came_by_hand_goes_back_by_hand(self, pool):
        paid_by_hand(RequestFactory(approved=True, pool=pool))
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 1
        refund = Refund.objects.get()
        assert (refund.provider, refund.status, pot_of(pool)) == ("manual", "sending", 0)
        cancellation.refresh_from_db()
        assert cancellation.status == "running"

    def test_money_without_a_place_keeps_it_open(self, pool):
        places(pool, 1)
        held = unapplied_money(RequestFactory(approved=True, pool=pool), because="wrong_amount", amount_cents=100)
        cancellation = cancelled(pool)
        run(cancellation.pk)
        cancellation.refresh_from_db()
        assert (cancellation.status, progress_of(cancellation).unapplied) == ("running", 1)
        held.refresh_from_db()
        assert held.status == "unapplied"

    def test_a_place_that_cannot_be_given_back_waits_and_the_others_go_on(self, pool, monkeypatch):
        entries = places(pool)
        stuck = Receipt.objects.get(entry=entries[1])
        real = running_module.give_back_place

        def give(*, receipt, **how):
            if receipt.pk == stuck.pk:
                raise RuntimeError("a bug of ours")
            return real(receipt=receipt, **how)

        monkeypatch.setattr(running_module, "give_back_place", give)
        cancellation = cancelled(pool)
        assert run(cancellation.pk) == 2
        stuck.refresh_from_db()
        assert stuck.status == "allocated"
        (doubt,) = Discrepancy.objects.filter(kind="held_money")
        assert doubt.object_key == f"request:{entries[1].request_id}"
        monkeypatch.undo()
        again = next_run()
        assert again.payload["walk"] == 1
        assert run(cancellation.pk, walk=1) == 1
        doubt.refresh_from_db()
        assert doubt.status == "resolved"

    def test_a_batch_that_dies_leaves_nothing_behind(self, pool, monkeypatch):
        places(pool)
        cancellation = cancelled(pool)
        before = OutboxMessage.objects.count()

        def die(*_, **__):
            raise SystemExit

        monkeypatch.setattr(running_module, "post_run", die)
        with pytest.raises(SystemExit), transaction.atomic():
            run(cancellation.pk)
        assert (Refund.objects.count(), OutboxMessage.objects.count()) == (0, before)
        monkeypatch.undo()
        assert run(cancellation.pk) == 3

    def test_a_chain_that_broke_is_taken_up_by_the_sweep(self, pool):
        places(pool)
        cancellation = cancelled(pool)
        assert sweep_cancellations() == 0
        OutboxMessage.objects.filter(kind="cancellation.run").update(dead_at=database_now())
        assert sweep_cancellations() == 1
        assert sweep_cancellations() == 0
        assert next_run().payload["cancellation"] == cancellation.pk

    def test_a_pot_that_is_not_empty_is_put_before_a_person(self, pool, finance):
        request = RequestFactory(approved=True, pool=pool)
        grant_place(request=request, by=finance, now=database_now(), waiver_reason="a prize")
        stray = PoolFactory()
        unbooked = paid_entry(RequestFactory(approved=True, pool=pool))
        # A place of the pool that the books have in another one's pot, too.
        from payments.ledger import rules
        from payments.ledger.posting import post
        from payments.ledger.rules import Fee, Sum

        post(rules.fee_waived(-1, Fee(pool.pk, 700, 0), Sum(700, "usd", False, database_now())))
        cancellation = cancelled(pool)
        run(cancellation.pk)
        assert pot_of(pool) == 700
        (doubt,) = Discrepancy.objects.filter(kind="pot_short")
        assert (doubt.object_key, doubt.amount_cents, doubt.currency) == (f"pool:{pool.pk}", 700, "usd")
        assert "7.00 USD instead of nothing" in doubt.sentence
        assert (stray.status, unbooked.number) == ("open", 1)

    @pytest.mark.slow
    def test_statements_for_a_hundred_places_do_not_grow_with_the_pool(self, pool, monkeypatch):
        counts = []
        for number in (20, 60):
            fresh = PoolFactory(competition=pool.competition, rules={"house_fee_bp": 1000})
            places(fresh, number)
            cancellation = cancelled(fresh)
            monkeypatch.setattr(running_module, "BATCH", 20)
            with CaptureQueriesContext(connection) as queries:
                assert run(cancellation.pk) == 20
            counts.append(len(queries))
        # Within a few: triggers fold tallies now and then, and the walk's end looks at more.
        assert abs(counts[1] - counts[0]) <= 20
        assert counts[1] <= 20 * 70


class TestLivePayments:
    def test_they_are_ended_at_the_provider(self, api, player, unpaid, double):
        from tests.support.payments import opened, started

        payment = started(api(player), unpaid)
        paid_entry(RequestFactory(approved=True, pool=unpaid.pool))
        cancelled(unpaid.pool)
        from payments.services.cancellations import end_payments_of

        assert end_payments_of(unpaid.pool_id) is None
        payment.refresh_from_db()
        assert payment.status == "cancelled"
        assert [session["status"] for session in opened(double)] == ["expired"]

    def test_a_provider_that_is_away_keeps_nobody(self, pool, settings):
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"
        from payments.services.cancellations import end_payments_of

        payment_for(RequestFactory(approved=True, pool=pool))
        assert end_payments_of(pool.pk) is None
        assert statuses(Payment) == ["open"]
