"""Tie-outs: both sides to the cent, and a person is told for as long as they differ."""

from datetime import timedelta

import pytest
from django.db import transaction

from config.clock import database_now
from payments.ledger.accounts import AccountName, Kind
from payments.ledger.posting import Line
from payments.models import BankAccount, Discrepancy, ReconciliationRun
from payments.reconciliation import banks, clearing, nightly
from payments.reconciliation.clearing import clearing_tie_outs
from payments.reconciliation.sums import sums_of_ours
from payments.reconciliation.tie_outs import check_tie_outs, checked
from tests.payments.bank.test_matching import line, sent
from tests.support.attacks import attack
from tests.support.by_hand import cash, paid_by_hand
from tests.support.charging import held_receipt, learn, paid_receipt
from tests.support.ledger import posted

CLEARING = AccountName(Kind.CLEARING, provider="stripe")


@pytest.fixture(autouse=True)
def at_once(monkeypatch):
    monkeypatch.setattr(clearing, "PAUSE_SECONDS", 0.0)


def told(rows, name):
    return [(row.currency, row.ours, row.theirs, row.agrees) for row in rows if row.name == name]


def open_rows():
    return sorted(Discrepancy.objects.filter(status="open").values_list("kind", "object_key"))


@pytest.mark.django_db(transaction=True)
class TestClearing:
    def test_what_is_booked_is_what_the_provider_has(self, api, unpaid, double):
        learn(paid_receipt(api, unpaid, double))

        (row,) = clearing_tie_outs()

        assert (row.provider, row.currency, row.livemode) == ("stripe", "usd", False)
        assert (row.ours, row.theirs, row.agrees, row.differences) == (4825, 4825, True, ())

    def test_what_is_not_booked_yet_is_counted_in(self, api, unpaid, double):
        """The money is in the books, its fee is not known; and a refund past us is not known at all."""
        receipt = paid_receipt(api, unpaid, double)
        double.dashboard_refund(1000, charge=receipt.charge_id)

        (row,) = clearing_tie_outs()

        assert (row.ours, row.theirs, row.agrees) == (3825, 3825, True)
        assert row.differences == ("movements not booked yet: 2",)

    def test_a_difference_is_told_at_once_and_closed_when_it_is_gone(self, api, unpaid, double):
        learn(paid_receipt(api, unpaid, double))
        posted(lines=(Line(CLEARING, 7), Line(AccountName(Kind.NOT_OURS), -7)))

        run = check_tie_outs()

        assert run.found == {"clearing_tieout_diff": 1}
        doubt = Discrepancy.objects.get()
        assert (doubt.kind, doubt.object_key) == ("clearing_tieout_diff", "tie_out:clearing:stripe:usd:test")
        assert (doubt.amount_cents, doubt.ours, doubt.theirs) == (7, {"amount_cents": 4832}, {"amount_cents": 4825})
        assert "48.32 USD here, 48.25 USD there" in doubt.sentence
        assert not checked().agrees
        posted(lines=(Line(CLEARING, -7), Line(AccountName(Kind.NOT_OURS), 7)))

        assert check_tie_outs().found == {}

        assert open_rows() == []
        assert (checked().agrees, checked().run_id) == (True, ReconciliationRun.objects.latest("pk").pk)

    def test_a_provider_that_is_away_proves_nothing(self, api, unpaid, double, settings):
        learn(paid_receipt(api, unpaid, double))
        settings.STRIPE_API_BASE = "http://127.0.0.1:9"

        check_tie_outs()

        (row,) = [row for row in checked().rows if row.name == "clearing"]
        assert (row.ours, row.theirs, row.agrees) == (4825, None, None)
        assert (open_rows(), checked().agrees) == ([], False)

    def test_a_key_of_the_other_mode_is_not_believed(self, api, unpaid, double):
        learn(paid_receipt(api, unpaid, double))
        for _ in range(3):
            double.fault(action="answer_livemode", method="GET", path="/v1/balance")

        (row,) = clearing_tie_outs()

        assert (row.agrees, "other mode" in row.differences[0]) == (None, True)

    def test_the_night_is_checked_once(self, double, monkeypatch):
        monkeypatch.setattr(nightly, "PATIENCE", timedelta())

        assert nightly.check_the_night() is not None
        assert nightly.check_the_night() is None

        assert sorted(ReconciliationRun.objects.values_list("kind", "status")) == [
            ("bank", "finished"), ("invariants", "finished"), ("payouts", "finished"),
        ]  # fmt: skip

    def test_banks_in_trouble_do_not_keep_the_night_from_being_checked(self, double, monkeypatch):
        monkeypatch.setattr(nightly, "PATIENCE", timedelta())
        monkeypatch.setattr(banks, "match_all_lines", lambda: 1 / 0)

        assert nightly.check_the_night().status == "finished"

        made = dict(ReconciliationRun.objects.values_list("kind", "status"))
        assert made == {"bank": "failed", "invariants": "finished", "payouts": "finished"}


@pytest.mark.django_db
class TestOurOwn:
    def test_nothing_is_there_to_differ(self):
        assert sums_of_ours() == []

    def test_what_is_on_its_way_is_what_was_sent_and_is_not_there(self, take):
        sent("po_1", trace="TRACE0001")
        sent("po_2", cents=100)
        assert told(sums_of_ours(), "bank_in_transit") == [("usd", 4925, 4925, True)]

        line(take, text="TRACE0001")

        assert told(sums_of_ours(), "bank_in_transit") == [("usd", 100, 100, True)]

    def test_the_bank_is_its_last_statement_with_what_waits(self, take):
        line(take)

        (row,) = [row for row in sums_of_ours() if row.name == "bank"]
        assert (row.ours, row.theirs, row.agrees, row.differences) == (100_000, 100_000, True, ("1 lines wait",))

    def test_money_that_no_statement_knows_is_seen(self, take):
        line(take)
        with transaction.atomic():
            posted(lines=(Line(AccountName(Kind.BANK), 5), Line(AccountName(Kind.NOT_OURS), -5)))

        assert told(sums_of_ours(), "bank") == [("usd", 100_005, 100_000, False)]

    def test_money_by_hand_is_what_two_people_signed_for(self, unpaid):
        paid_by_hand(unpaid, handover=cash())

        assert told(sums_of_ours(), "in_hand") == [("usd", 5000, 5000, True)]

    def test_it_is_cash_no_more_once_the_bank_has_it(self, unpaid, take, finance):
        from payments.bank.deciding import Choice, match_by_hand

        record = paid_by_hand(unpaid, handover=cash())
        found = line(take, cents=5000)
        match_by_hand(line_id=found.pk, choice=Choice(record_ids=(record.pk,)), by=finance, reason="the slip")

        assert told(sums_of_ours(), "in_hand") == [("usd", 0, 0, True)]


@pytest.mark.django_db(transaction=True)
def test_money_that_nobody_looks_after_is_told_after_a_day(api, unpaid, double):
    receipt = held_receipt(api, unpaid, double)
    Discrepancy.objects.update(status="resolved", closed_at=database_now(), resolution="by mistake")
    assert told(sums_of_ours(), "forgotten") == [("usd", 0, 0, True)]
    assert (
        attack(
            "SET session_replication_role = replica;"
            "UPDATE payments_receipt SET created_at = created_at - interval '25 hours';"
            "SET session_replication_role = origin"
        )
        is None
    )

    (row,) = [row for row in sums_of_ours() if row.name == "forgotten"]

    assert (row.ours, row.agrees, row.differences) == (5000, False, (f"receipt {receipt.pk}",))


@pytest.mark.django_db
def test_broken_books_are_told_by_name(take, settings):
    """A pot that its requests know nothing of."""
    from tests.factories.pools import PoolFactory

    settings.PAYMENT_PROVIDER = "manual"
    pool = PoolFactory()
    posted(lines=(Line(AccountName(Kind.UNALLOCATED), 5), Line(AccountName(Kind.PRIZE_POT, pool.pk), -5)))

    from payments.reconciliation.tie_outs import tie_outs

    broken = {row.name: row.differences for row in tie_outs() if row.agrees is False}

    assert {"pots", "unallocated", "not_negative"} <= set(broken)
    assert f"pot of pool {pool.pk}: 0.05 USD instead of 0.00 USD" in broken["pots"]
    assert BankAccount.objects.count() == 1
