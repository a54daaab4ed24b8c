"""What a person starts from a row: look after it, ask the provider, make its money a place, give it back."""

from datetime import timedelta

import pytest

from accounts.models import MessagePreferences
from config import outbox
from config.clock import database_now
from config.models import OutboxMessage
from payments.ages import BUCKETS, bucket_of
from payments.models import Act, Discrepancy, DiscrepancyAct, DiscrepancyKind, Refund
from payments.models.discrepancy import URGENT
from payments.reconciliation.dispositions import DISPOSITIONS, Action
from payments.services.discrepancies import acknowledge, give, put_back, resolve
from payments.services.queue.acting import APPLIED, allocate, ask_again, refund
from payments.services.queue.allowed import allowed_actions
from payments.services.winners.overpaid import prize_key
from payments.services.winners.sending import send_payout
from tests.factories.accounts import FinanceFactory, ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.support.by_hand import paid_by_hand
from tests.support.charging import paid_receipt
from tests.support.queue import moved, raised
from tests.support.refunding import fresh
from tests.support.refusals import refused
from tests.support.winning import account_of, approved_payout, booked, won_pool

pytestmark = pytest.mark.django_db


@pytest.fixture
def colleague():
    return FinanceFactory()


def held(receipt, kind=DiscrepancyKind.HELD_MONEY):
    return raised(kind, f"receipt:{receipt.pk}", details={"receipt": receipt.pk})


def buckets_of_all(now):
    return [bucket.name for bucket in BUCKETS if Discrepancy.objects.filter(bucket.of_rows(now)).exists()]


def acts():
    return list(DiscrepancyAct.objects.order_by("id").values_list("act", flat=True))


class TestOwners:
    def test_a_row_is_taken_given_and_put_back_and_each_is_written_down(self, finance, colleague):
        row = raised()
        acknowledge(discrepancy_id=row.pk, by=finance, take_over=False)
        assert refused(lambda: acknowledge(discrepancy_id=row.pk, by=colleague, take_over=False)) == "VERSION_CONFLICT"

        give(discrepancy_id=row.pk, to=colleague, by=finance, reason="You know the shop.")
        assert (fresh(row).owner, fresh(row).status) == (colleague, "acknowledged")
        put_back(discrepancy_id=row.pk, by=colleague)

        assert (fresh(row).owner, fresh(row).status) == (None, "open")
        assert acts() == [Act.LOOKED_AFTER, Act.GIVEN, Act.PUT_BACK]
        assert DiscrepancyAct.objects.get(act=Act.GIVEN).reason == "You know the shop."

    def test_it_is_given_to_nobody_who_may_not(self, finance):
        row = raised()
        gone = FinanceFactory(is_active=False)

        for person in (ModeratorFactory(), gone):
            assert refused(lambda to=person: give(discrepancy_id=row.pk, to=to, by=finance)) == "VALIDATION_ERROR"
        assert refused(lambda: put_back(discrepancy_id=row.pk, by=finance)) == "INVALID_TRANSITION"


class TestWhatAKindAllows:
    def test_each_act_is_refused_to_every_kind_that_the_table_does_not_give_it(self, finance):
        tries = {
            Action.RESYNC: lambda row: ask_again(discrepancy_id=row.pk, by=finance),
            Action.ALLOCATE: lambda row: allocate(discrepancy_id=row.pk, by=finance, reason="x"),
            Action.REFUND: lambda row: refund(discrepancy_id=row.pk, by=finance, reason="x"),
        }
        for kind, known in DISPOSITIONS.items():
            row = raised(kind, f"nothing:{kind}")
            assert allowed_actions(row) == known.actions
            for action, attempt in tries.items():
                if action not in known.actions:
                    assert refused(lambda row=row, attempt=attempt: attempt(row)) == "INVALID_TRANSITION"

    def test_nothing_is_done_to_what_is_closed(self, finance):
        row = held(unapplied_money())
        resolve(discrepancy_id=row.pk, by=finance, resolution="done")
        row = fresh(row)

        assert allowed_actions(row) == ()
        for attempt in (ask_again, lambda **how: allocate(reason="x", **how), lambda **how: refund(reason="x", **how)):
            assert refused(lambda act=attempt: act(discrepancy_id=row.pk, by=finance)) == "INVALID_TRANSITION"


class TestMoneyThatWaits:
    def test_it_is_made_a_place_and_the_row_is_closed(self, finance):
        receipt = unapplied_money(because="player_gone")
        row = held(receipt, DiscrepancyKind.PAID_NO_ENTRY)

        allocate(discrepancy_id=row.pk, by=finance, reason="the player is back")

        assert (fresh(receipt).status, fresh(row).status) == ("allocated", "resolved")
        assert acts() == [Act.ALLOCATED]

    def test_what_can_be_no_place_leaves_no_trace_of_having_been_one(self, finance):
        row = held(unapplied_money(amount_cents=4999))

        assert refused(lambda: allocate(discrepancy_id=row.pk, by=finance, reason="x")) == "INVALID_TRANSITION"

        assert (acts(), fresh(row).status) == ([], "open")

    def test_it_goes_back_and_the_row_closes_by_itself(self, finance):
        receipt = unapplied_money()
        row = held(receipt)

        refund(discrepancy_id=row.pk, by=finance, reason="he asked")

        assert (Refund.objects.get().status, Refund.objects.get().amount_cents) == ("sending", 5000)
        assert (fresh(row).status, fresh(row).closed_by) == ("resolved", None)
        assert DiscrepancyAct.objects.get().outcome == f"Refund {Refund.objects.get().pk} is decided."

    def test_above_the_limit_the_row_waits_with_the_refund(self, finance, settings):
        settings.REFUND_APPROVAL_ABOVE = 0
        row = held(unapplied_money())

        refund(discrepancy_id=row.pk, by=finance, reason="he asked")

        assert (Refund.objects.get().status, fresh(row).status) == ("requested", "open")
        assert refused(lambda: refund(discrepancy_id=row.pk, by=finance, reason="again")) == "REFUND_NOT_ALLOWED"

    def test_what_failed_is_sent_again(self, finance):
        failed = refund_of(unapplied_money(), status="failed")
        row = raised(DiscrepancyKind.REFUND_FAILED, f"refund:{failed.pk}")

        again = refund(discrepancy_id=row.pk, by=finance, reason="the card is new")

        assert (again.replaces, again.status) == (failed, "sending")

    def test_a_place_money_by_hand_and_nothing_at_all_go_their_own_ways(self, finance):
        place = held(paid_entry().receipts.get())
        request = RequestFactory(approved=True)
        paid_by_hand(request)
        paid_by_hand(request)
        by_hand = held(request.payments.latest("id").receipts.get())

        assert refused(lambda: refund(discrepancy_id=place.pk, by=finance, reason="x")) == "REFUND_NOT_ALLOWED"
        assert refused(lambda: refund(discrepancy_id=by_hand.pk, by=finance, reason="x")) == "REFUND_NOT_ALLOWED"
        for key in ("receipt:4711", "nothing:1", f"receipt:{'9' * 30}"):
            row = raised(DiscrepancyKind.HELD_MONEY, key)
            assert refused(lambda row=row: refund(discrepancy_id=row.pk, by=finance, reason="x")) == (
                "INVALID_TRANSITION"
            )

    def test_nobody_decides_about_money_of_their_own(self, finance):
        row = held(unapplied_money(RequestFactory(approved=True, user=finance)))

        assert refused(lambda: refund(discrepancy_id=row.pk, by=finance, reason="mine")) == "FORBIDDEN"
        assert refused(lambda: allocate(discrepancy_id=row.pk, by=finance, reason="mine")) == "FORBIDDEN"


class TestBothSidesAndAges:
    def test_a_row_keeps_both_sides_and_freshens_them(self):
        first = raised(ours={"amount_cents": 5000}, theirs={"amount_cents": 4000}, amount_cents=1000, currency="usd")
        assert (first.ours, first.theirs, first.amount_cents) == ({"amount_cents": 5000}, {"amount_cents": 4000}, 1000)

        raised(theirs={"amount_cents": 3000}, amount_cents=2000)
        row = fresh(first)
        assert (row.ours, row.theirs, row.amount_cents, row.currency) == (
            {"amount_cents": 5000}, {"amount_cents": 3000}, 2000, "usd",
        )  # fmt: skip

        assert fresh(raised()).amount_cents == 2000
        told = raised(key="refund:8", details={"amount_cents": 700, "currency": "eur"})
        assert (told.amount_cents, told.currency) == (700, "eur")

    def test_a_row_grows_older_from_bucket_to_bucket(self):
        row = raised()
        days = {0: "under_1_day", 1: "1_to_3_days", 2.9: "1_to_3_days", 3: "3_to_7_days", 7: "over_7_days"}
        for passed, name in days.items():
            now = row.opened_at + timedelta(days=passed)
            assert bucket_of(row.opened_at, now).name == name
            assert buckets_of_all(now) == [name]

    def test_a_closed_row_stays_as_old_as_it_was(self, finance):
        row = raised()
        resolve(discrepancy_id=row.pk, by=finance, resolution="done")

        assert buckets_of_all(row.opened_at + timedelta(days=30)) == ["under_1_day"]


class TestUrgent:
    def mails(self, settings, mailoutbox):
        outbox.drain()
        return [(mail.subject, sorted(mail.to)) for mail in mailoutbox]

    def test_finance_is_told_at_once_and_of_the_rest_together(
        self, finance, colleague, admin_user, moderator, mailoutbox, settings
    ):
        row = raised(DiscrepancyKind.MISSING_AT_PROVIDER, "charge:stripe:ch_1", sentence="No such charge.")
        raised(DiscrepancyKind.BOOKS_BROKEN, "books:pots", sentence="The pots differ.")
        raised(DiscrepancyKind.LIVEMODE_LEAK, "webhooks:stripe", sentence="A wrong mode.")
        raised()

        [(subject, to)] = self.mails(settings, mailoutbox)
        assert subject == "Urgent: Missing at provider: No such charge."
        assert to == sorted([finance.email, colleague.email, admin_user.email])
        assert f"/admin/payments/discrepancy/{row.pk}/change/" in mailoutbox[0].body

        OutboxMessage.objects.filter(done_at=None).update(due_at=database_now())
        resolve(discrepancy_id=row.pk, by=finance, resolution="a wrong key")
        assert [subject for subject, _ in self.mails(settings, mailoutbox)][1:] == ["Urgent: 2 discrepancies"]
        assert "The pots differ." in mailoutbox[1].body
        assert "No such charge." not in mailoutbox[1].body

    def test_each_reads_it_in_their_own_language(self, finance, colleague, mailoutbox, settings):
        MessagePreferences.objects.create(user=finance, language="fr")
        raised(DiscrepancyKind.MISSING_AT_PROVIDER, "charge:stripe:ch_1", sentence="No such charge.")

        assert dict(self.mails(settings, mailoutbox)) == {
            "Urgent: Missing at provider: No such charge.": [colleague.email],
            "Urgent : Manque chez le prestataire : No such charge.": [finance.email],
        }

    def test_what_is_settled_before_the_mail_goes_is_no_news(self, finance, mailoutbox, settings):
        row = raised(DiscrepancyKind.MISSING_AT_PROVIDER, "charge:stripe:ch_1")
        resolve(discrepancy_id=row.pk, by=finance, resolution="a wrong key")

        assert self.mails(settings, mailoutbox) == []

    def test_every_urgent_kind_has_a_row_in_the_table(self):
        assert set(DISPOSITIONS) >= URGENT


@pytest.mark.django_db(transaction=True)
class TestAsking:
    def test_the_answer_is_applied_and_a_doubt_that_is_gone_closes(self, api, unpaid, double, finance):
        receipt = paid_receipt(api, unpaid, double)
        double.dashboard_refund(charge=receipt.charge_id, amount=1000)
        row = raised(DiscrepancyKind.STATUS_MISMATCH, f"receipt:{receipt.pk}")

        ask_again(discrepancy_id=row.pk, by=finance)

        assert Refund.objects.get().amount_cents == 1000
        assert DiscrepancyAct.objects.get().outcome == APPLIED
        stuck = Discrepancy.objects.get(kind=DiscrepancyKind.EXTERNAL_REFUND)
        ask_again(discrepancy_id=stuck.pk, by=finance)
        assert acts() == [Act.ASKED, Act.ASKED]

    def test_without_an_answer_it_is_kept_that_somebody_asked(self, finance, settings, quick_provider):
        receipt = unapplied_money()
        settings.STRIPE_API_BASE = "http://127.0.0.1:1"
        row = raised(DiscrepancyKind.STATUS_MISMATCH, f"receipt:{receipt.pk}")

        assert refused(lambda: ask_again(discrepancy_id=row.pk, by=finance)) == "PROVIDER_ERROR"

        assert DiscrepancyAct.objects.get().outcome.startswith("No answer: ")
        assert fresh(row).status == "open"

    def test_what_is_not_here_cannot_be_asked_about(self, finance):
        for key in ("receipt:4711", "payment:4711", "dispute:4711:won", "refund:4711", "prize:1:2"):
            row = raised(DiscrepancyKind.STATUS_MISMATCH, key, details={"payout": 4711})
            assert refused(lambda row=row: ask_again(discrepancy_id=row.pk, by=finance)) == "INVALID_TRANSITION"
        assert set(acts()) == {Act.ASKED}

    @pytest.mark.parametrize("key", ["webhooks:stripe", "balance:stripe:test:usd", "dispute:stripe:dp_1", "entry:5"])
    def test_what_no_provider_knows_of_is_not_said_to_be_asked_about(self, finance, key):
        row = raised(DiscrepancyKind.STATUS_MISMATCH, key)

        assert refused(lambda: ask_again(discrepancy_id=row.pk, by=finance)) == "INVALID_TRANSITION"

        assert DiscrepancyAct.objects.get().outcome == "There is nothing here to ask about."
        assert refused(lambda: ask_again(discrepancy_id=moved().pk, by=finance)) == "INVALID_TRANSITION"

    def test_a_prize_that_was_not_heard_of_is_asked_about_by_its_row(self, double, finance):
        pool, winner, _ = won_pool()
        booked(pool)
        account_of(winner.user)
        double.fund(30_000)
        payout = approved_payout(winner)
        double.fault(method="POST", path="/v1/transfers", times=3, action="drop_after")
        assert send_payout(payout.pk).status == "unknown"
        row = raised(DiscrepancyKind.PAYOUT_FAILED, prize_key(pool.pk, winner.user_id), details={"payout": payout.pk})

        ask_again(discrepancy_id=row.pk, by=finance)

        assert fresh(payout).status == "paid"
