"""Finance's page: what it counts, whom it lets in, where it leads, and what it costs."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config import outbox
from config.clock import ClockTimestamp, database_now
from config.models import OutboxMessage
from payments.admin.finance_numbers import WORK, ageing_of_doubts, ageing_of_work, pool_money
from payments.models import Discrepancy, DiscrepancyKind, ReconciliationRun, RunKind, RunPhase, RunStatus
from payments.reconciliation import clearing, differences
from payments.services.cancellations import propose_cancellation
from payments.services.queue.write_offs import request_write_off
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.queue import moved
from tests.support.reconciling import behind_the_guards
from tests.support.winning import account_of, approved_payout, booked, won_pool

pytestmark = pytest.mark.django_db

PAGE = "/admin/payments/reconciliationrun/finance/"
RUNS = "/admin/payments/reconciliationrun/"
RUN_NOW = "/admin/payments/reconciliationrun/run-now/"


@pytest.fixture
def pool():
    return PoolFactory(name="The Long Season", rules={"house_fee_bp": 1000})


@pytest.fixture
def as_finance(client, finance):
    client.force_login(finance)
    return client


def a_run(**given):
    return ReconciliationRun.objects.create(
        kind=RunKind.FEED, provider="stripe", status=RunStatus.FINISHED, phase=RunPhase.DONE,
        finished_at=ClockTimestamp(), **given,
    )  # fmt: skip


def doubt(key, *, kind=DiscrepancyKind.HELD_MONEY, age=timedelta()):
    return Discrepancy.objects.create(
        kind=kind, object_key=key, sentence="It is held.", suggestion="Look at it.", opened_at=database_now() - age
    ).pk


class TestNumbers:
    def test_what_was_paid_in_is_in_the_pot_or_the_house_s(self, pool):
        for _ in range(3):
            paid_entry(RequestFactory(approved=True, pool=pool))

        (money,) = pool_money(livemode=False)

        assert (money.name, money.paid_in, money.to_house, money.given_back, money.won, money.in_pot) == (
            "The Long Season", 13500, 1500, 0, 0, 13500,
        )  # fmt: skip

    def test_doubts_are_counted_by_kind_and_age_and_the_urgent_come_first(self):
        doubt("receipt:1", age=timedelta(hours=2))
        doubt("receipt:2", age=timedelta(days=2))
        doubt("receipt:3", age=timedelta(days=30))
        doubt("entry:4", kind=DiscrepancyKind.ENTRY_WITHOUT_PAYMENT, age=timedelta(days=5))

        urgent, held = ageing_of_doubts()

        assert (urgent.label, urgent.is_urgent, urgent.counts) == ("Entry without payment", True, (0, 0, 1, 0))
        assert (held.label, held.is_urgent, held.counts, held.unowned) == ("Held money", False, (1, 1, 0, 1), 3)

    def test_what_was_settled_is_counted_no_more(self, finance):
        Discrepancy.objects.filter(pk=doubt("receipt:1")).update(
            status="resolved", closed_at=ClockTimestamp(), closed_by=finance, resolution="It was given back."
        )

        assert ageing_of_doubts() == []

    def test_money_without_a_place_waits(self):
        unapplied_money(RequestFactory(approved=True))

        waiting = {one.label: one.total for one in ageing_of_work()}

        assert waiting["Money without a place"] == 1
        assert set(waiting.values()) == {0, 1}

    def test_what_waits_for_a_second_name_is_counted(self, pool, finance):
        request_write_off(discrepancy_id=moved().pk, by=finance, reason="Nobody knows what it was.")
        paid_entry(RequestFactory(approved=True, pool=pool))
        propose_cancellation(pool=pool, by=finance, reason="The stadium is closed.")

        waiting = {one.label: one.total for one in ageing_of_work()}

        second_names = {label: count for label, count in waiting.items() if "second name" in label}
        assert second_names == {
            "Handed over, for a second name": 0,
            "Corrections of prizes, for a second name": 0,
            "Write-offs, for a second name": 1,
            "Cancellations, for a second name": 1,
        }

    def test_a_payout_that_failed_is_over_and_waits_for_nobody(self):
        pool, winner, _ = won_pool()
        booked(pool)
        account_of(winner.user)
        payout = approved_payout(winner)

        def waiting():
            return {one.label: one.total for one in ageing_of_work()}["Payouts to winners"]

        assert waiting() == 1
        behind_the_guards("UPDATE payments_payout SET status = 'failed' WHERE id = %s", payout.pk)
        assert waiting() == 0


class TestThePage:
    def test_it_shows_the_money_of_each_pool_in_a_chart_and_in_words(self, as_finance, pool):
        paid_entry(RequestFactory(approved=True, pool=pool))

        page = as_finance.get(PAGE).content.decode()

        assert 'data-type="bar"' in page
        assert re.search(r"The Long Season</a></td>\s*<td[^>]*>45\.00 USD", page), page

    def test_every_row_leads_to_its_list(self, as_finance):
        doubt("receipt:1")

        page = as_finance.get(PAGE).content.decode()
        ways = {way.replace("&amp;", "&") for way in re.findall(r'<td class="py-2 pr-6"><a href="([^"]+)"', page)}

        assert "/admin/payments/discrepancy/?kind__exact=held_money" in ways
        assert len(ways) == 1 + len(WORK)
        assert {way: as_finance.get(way).status_code for way in ways} == dict.fromkeys(ways, 200)

    def test_it_names_the_last_run_of_each_layer_and_those_that_never_ran(self, as_finance):
        a_run(found={"fee_missing": 2})
        last = a_run(found={"status_mismatch": 3}, healed={"status_mismatch": 3}, staged=120)

        page = as_finance.get(PAGE).content.decode()

        assert f"/admin/payments/reconciliationrun/{last.pk}/change/" in page
        assert ("3 status_mismatch" in page, "2 fee_missing" in page) == (True, False)
        assert page.count("never ran") == len(RunKind) - 1

    def test_it_costs_no_more_with_more_of_everything(self, as_finance):
        as_finance.get(PAGE)
        with CaptureQueriesContext(connection) as empty:
            as_finance.get(PAGE)
        for number in range(4):
            paid_entry(RequestFactory(approved=True, pool=PoolFactory()))
            doubt(f"receipt:{number}")
            a_run()
        with CaptureQueriesContext(connection) as full:
            as_finance.get(PAGE)

        assert len(full) == len(empty) <= 20

    @pytest.mark.parametrize(("who", "status"), [("moderator", 403), ("admin_user", 200), ("player", 302)])
    def test_finance_and_admins_see_it_nobody_else(self, client, who, status, request):
        client.force_login(request.getfixturevalue(who))

        assert client.get(PAGE).status_code == status

    def test_the_front_page_leads_there(self, as_finance, client, moderator):
        assert PAGE in as_finance.get("/admin/").content.decode()
        client.force_login(moderator)
        assert PAGE not in client.get("/admin/").content.decode()


class TestRunningNow:
    def test_it_is_asked_for_once_a_minute_and_said_so(self, as_finance):
        answers = [as_finance.post(RUN_NOW) for _ in range(2)]

        assert [answer.status_code for answer in answers] == [302, 302]
        assert OutboxMessage.objects.filter(kind="reconciliation.wanted").count() == 1

    def test_not_while_one_is_at_work(self, as_finance):
        ReconciliationRun.objects.create(kind=RunKind.DEEP, provider="stripe")

        answer = as_finance.post(RUN_NOW)

        assert [str(said) for said in get_messages(answer.wsgi_request)] == [
            "A reconciliation is at work already. Look at it when it has ended."
        ]
        assert not OutboxMessage.objects.filter(kind="reconciliation.wanted").exists()

    def test_looking_at_the_address_starts_nothing(self, as_finance):
        assert as_finance.get(RUN_NOW).status_code == 403
        assert not OutboxMessage.objects.exists()

    def test_moderators_start_none(self, client, moderator):
        client.force_login(moderator)

        assert client.post(RUN_NOW).status_code == 403


class TestTheRun:
    def test_its_page_shows_both_sides(self, as_finance):
        run = a_run(
            totals={
                "usd": {
                    "charges": {"ours": [2, 10000], "theirs": [3, 15000]},
                    "fees": {"ours": [2, 350], "theirs": [2, 350]},
                }
            }
        )

        page = as_finance.get(f"/admin/payments/reconciliationrun/{run.pk}/change/").content.decode()

        assert ("2: 100.00 USD" in page, "3: 150.00 USD" in page, "✗ -50.00 USD" in page) == (True, True, True)
        assert page.count("✓</span>") == 1
        assert "Charges (2 here, 3 there) differ by -50.00 USD" in page

    def test_its_page_shows_what_came_and_went_and_what_is_open(self, as_finance):
        run = a_run(opened={"held_money": 2}, closed={"fee_missing": 1})
        for key, cents in (("receipt:1", 5000), ("receipt:2", -700)):
            Discrepancy.objects.filter(pk=doubt(key, age=timedelta(days=4))).update(amount_cents=cents, currency="usd")

        page = as_finance.get(f"/admin/payments/reconciliationrun/{run.pk}/change/").content.decode()

        assert "New in the queue: 2 held money. Closed: 1 fee missing." in page
        assert re.search(r"Held money</td><td[^>]*>2</td><td[^>]*>57\.00 USD</td><td[^>]*>3 to 7 days</td>", page), page

    def test_what_it_saw_is_a_file_with_its_digest(self, as_finance):
        run = a_run()
        Discrepancy.objects.filter(pk=doubt("receipt:1")).update(last_run=run)

        file = as_finance.get(f"/admin/payments/reconciliationrun/{run.pk}/seen.csv")

        digest = hashlib.sha256(file.content).hexdigest()
        assert (file["Repr-Digest"], file.content.count(b"receipt:1")) == (f"sha-256={digest}", 1)

    def test_moderators_do_not_get_it(self, client, moderator):
        run = a_run()
        client.force_login(moderator)

        assert client.get(f"/admin/payments/reconciliationrun/{run.pk}/seen.csv").status_code == 403


@pytest.mark.django_db(transaction=True)
class TestCarriedOut:
    def test_a_worker_reads_every_provider_and_checks_that_it_agrees(self, double, as_finance, finance, monkeypatch):
        monkeypatch.setattr(clearing, "PAUSE_SECONDS", 0.0)
        as_finance.post(RUN_NOW)

        outbox.drain()

        made = ReconciliationRun.objects.values_list("kind", "provider", "status", "started_by")
        assert sorted(made) == [
            ("deep", "stripe", "finished", finance.pk), ("invariants", "", "finished", finance.pk),
        ]  # fmt: skip

    def test_a_provider_in_trouble_does_not_keep_the_check(self, double, as_finance, monkeypatch):
        monkeypatch.setattr(clearing, "PAUSE_SECONDS", 0.0)
        monkeypatch.setattr(differences, "SORT_MEMORY", "nonsense")
        as_finance.post(RUN_NOW)

        outbox.drain()

        made = ReconciliationRun.objects.values_list("kind", "status")
        assert sorted(made) == [("deep", "failed"), ("invariants", "finished")]


class TestTooMuchToHeal:
    def test_a_person_lets_it_go_on_and_says_why(self, as_finance):
        run = a_run(stopped_healing={"missing_locally": 600})
        row = doubt("healing:stripe:missing_locally", kind=DiscrepancyKind.MASS_HEALING)
        press = {"action": "let_it_heal", "_selected_action": [run.pk]}

        preview = as_finance.post(RUNS, press).content.decode()
        as_finance.post(RUNS, {**press, "confirmed": "1", "reason": "We restored a backup this morning."})

        assert "600 of the kind “missing locally”" in preview
        row = Discrepancy.objects.get(pk=row)
        assert (row.status, row.resolution) == ("resolved", "We restored a backup this morning.")

    def test_nothing_is_offered_where_nothing_was_stopped(self, as_finance):
        run = a_run()

        page = as_finance.get(f"{RUNS}{run.pk}/change/").content.decode()

        assert "Let it heal" not in page
