"""The requests workbench: what it shows of each player, what it asks before, and what it says afterwards."""

from datetime import date, timedelta

import pytest
from django.urls import reverse

from accounts.models import AgeLimit, Exclusion, Session, User
from config import outbox
from config.clock import database_now
from config.models import AuditEntry
from entries.models import BulkDecision, ReasonTemplate, Request
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.sessions import sessions_in_the_database

__all__ = ["sessions_in_the_database"]
pytestmark = pytest.mark.django_db

BENCH = reverse("admin:entries_request_workbench")
DECIDE = reverse("admin:entries_request_decide")


@pytest.fixture
def bench(client, moderator):
    # Groups are joined in the database.
    client.force_login(User.objects.get(pk=moderator.pk))
    return client


def shown(browser, **query):
    return browser.get(BENCH, query).content.decode()


def ask(browser, rows, kind="approve", **fields):
    return browser.post(DECIDE, {"kind": kind, "request": [row.pk for row in rows], **fields})


def confirm(browser, rows, kind="approve", **fields):
    return ask(browser, rows, kind, **({"confirmed": str(len(rows))} | fields))


def signed_in(user, address, agent="Firefox"):
    Session.objects.create(user=user, current_jti=f"{user.pk}-{address}", address=address, user_agent=agent)


def statuses(*rows):
    return [Request.objects.get(pk=row.pk).status for row in rows]


def test_it_shows_what_waits_oldest_first_with_what_became_of_the_player_before(bench):
    player = UserFactory()
    EntryFactory(owner=player)
    RequestFactory(user=player, status="withdrawn")
    row = RequestFactory(user=player)
    RequestFactory(waitlisted_at=database_now())
    RequestFactory(approved=True)
    page = shown(bench)
    assert "1 request waits." in page
    assert f'name="request" value="{row.pk}"' in page
    for fact in ("<b>1</b> requests approved", "<b>1</b> requests withdrawn", "<b>1</b> entries active"):
        assert fact in page
    assert "1 request waits." in shown(bench, lane="waiting")
    assert "Take back" in shown(bench, lane="unpaid")
    assert "1 request waits." in shown(bench, lane="nonsense", pool="9" * 30, after="x")
    assert "Nothing waits here." in shown(bench, pool=PoolFactory().pk)


def test_it_hints_at_company_age_place_and_exclusions(bench):
    today = database_now().date()
    barred = UserFactory(country="AT", date_of_birth=today - timedelta(days=365 * 30))
    AgeLimit.objects.create(country="AT", region="", is_barred=True)
    child = UserFactory(date_of_birth=date(today.year - 15, 1, 1))
    youth = UserFactory(date_of_birth=date(today.year - 20, 1, 1))
    kept_out = UserFactory()
    Exclusion.objects.create(user=kept_out, kind="cooling_off", days=7)
    beside, same = UserFactory(), UserFactory()
    signed_in(youth, "192.0.2.1")
    signed_in(youth, "192.0.2.1", "Safari")
    signed_in(same, "192.0.2.1")
    signed_in(beside, "192.0.2.1", "Opera")
    signed_in(beside, "198.51.100.1")
    pool = PoolFactory()
    for player in (barred, child, youth):
        RequestFactory(user=player, pool=pool)
    page = shown(bench)
    for hint in (
        "This pool is not offered where you live.",
        "This pool is for players of 18 or older.",
        "20 years old.",
        "1 other account is used from the same browser at the same address.",
        "1 other account is used from the same address.",
        "The account is younger than a day.",
    ):
        assert hint in page
    assert page.count("used from the same") == 2
    assert "Excluded from" not in page


@pytest.mark.parametrize("rows", [1, 30])
def test_it_costs_the_same_however_long_the_queue_is(bench, rows, django_assert_num_queries):
    for _ in range(rows):
        RequestFactory()
    with django_assert_num_queries(18):
        page = shown(bench)
    assert page.count("data-row>") == rows


def test_it_asks_with_numbers_before_and_changes_nothing(bench):
    row = RequestFactory(pool__name="Cup", pool__capacity=5)
    page = ask(bench, [row]).content.decode()
    assert "1 of 1 is pending; the others are refused." in page
    assert "Cup: 1 asked, 5 free." in page
    assert 'name="confirmed" value="1"' in page
    assert (statuses(row), BulkDecision.objects.count()) == (["pending"], 0)
    changed = confirm(bench, [row], confirmed="2").content.decode()
    assert "The list changed in the meantime." in changed


def test_few_are_decided_at_once_and_the_queue_comes_back_with_a_way_to_undo(bench, moderator):
    rows = [RequestFactory(), RequestFactory()]
    answer = bench.post(
        DECIDE, {"only": f"approve-{rows[0].pk}", "request": [rows[1].pk], "confirmed": "1"}, follow=True
    )
    assert statuses(*rows) == ["approved", "pending"]
    assert answer.request["PATH_INFO"] == BENCH
    assert "1 request approved." in answer.content.decode()
    assert "Results, and undo" in answer.content.decode()
    bulk = BulkDecision.objects.get()
    assert bulk.by == moderator
    page = bench.get(reverse("admin:entries_bulkdecision_change", args=[bulk.pk])).content.decode()
    assert "Undo what is not paid" in page


def test_partial_success_is_told_by_reason_and_for_each(bench):
    pool = PoolFactory(capacity=1)
    rows = [RequestFactory(pool=pool) for _ in range(3)]
    answer = confirm(bench, rows, follow=True)
    page = bench.get(answer["Location"]).content.decode()
    assert "3 of 3 are through." in page
    assert "<strong>2</strong> All 1 places are taken." in page
    assert page.count("Refused: All 1 places are taken.") == 2
    assert statuses(*rows) == ["approved", "pending", "pending"]


def test_all_that_waited_when_it_was_looked_at_is_decided_by_a_worker(bench):
    pool = PoolFactory(capacity=None)
    rows = [RequestFactory(pool=pool) for _ in range(31)]
    page = shown(bench, pool=pool.pk)
    assert "All 31, not only this page" in page
    late = RequestFactory(pool=pool)
    fields = {"all": "1", "until": rows[-1].pk, "pool": pool.pk}
    assert 'name="confirmed" value="31"' in ask(bench, [], **fields).content.decode()
    answer = confirm(bench, [], **fields, confirmed="31")
    progress = bench.get(answer["Location"])
    assert (progress["Refresh"], "0 of 31 are through." in progress.content.decode()) == ("2", True)
    outbox.drain()
    after = bench.get(answer["Location"])
    assert ("Refresh" in after, "31 of 31 are through." in after.content.decode()) == (False, True)
    assert statuses(rows[0], rows[-1], late) == ["approved", "approved", "pending"]


def test_a_rejection_takes_its_reason_from_a_template_or_from_what_was_typed(bench):
    template = ReasonTemplate.objects.create(kind="reject", title="Twice", text="You are here already.")
    hidden = ReasonTemplate.objects.create(kind="reject", title="Old", text="Old words.", is_offered=False)
    one, other, third = RequestFactory(), RequestFactory(), RequestFactory()
    page = ask(bench, [one], "reject").content.decode()
    assert "Twice" in page
    assert "Old words." not in page
    confirm(bench, [one], "reject", template=template.pk)
    confirm(bench, [other], "reject", template=template.pk, reason="My own words.")
    assert [Request.objects.get(pk=row.pk).reason for row in (one, other)] == [
        "You are here already.", "My own words.",
    ]  # fmt: skip
    confirm(bench, [third], "reject", template=hidden.pk)
    assert statuses(third) == ["pending"]


@pytest.mark.parametrize("fields", [{}, {"kind": "nonsense"}, {"only": "approve-x"}, {"request": "4711"}])
def test_nonsense_is_told_and_changes_nothing(bench, fields):
    row = RequestFactory()
    answer = bench.post(DECIDE, {"kind": "approve", "confirmed": "1", **fields}, follow=True)
    assert "Choose at least one request first." in answer.content.decode()
    assert statuses(row) == ["pending"]


def test_who_may_not_decide_sees_nothing_of_it(client, finance, player):
    row = RequestFactory()
    client.force_login(User.objects.get(pk=finance.pk))
    assert (client.get(BENCH).status_code, ask(client, [row]).status_code) == (403, 403)
    client.force_login(User.objects.get(pk=player.pk))
    assert (client.get(BENCH).status_code, ask(client, [row]).status_code) == (302, 302)
    assert statuses(row) == ["pending"]


def test_too_many_at_once_are_not_offered(bench, monkeypatch):
    for module in ("queue", "pages"):
        monkeypatch.setattr(f"entries.admin.workbench.{module}.MOST_REQUESTS", 1)
    monkeypatch.setattr("entries.admin.workbench.queue.PAGE", 1)
    pool = PoolFactory()
    for _ in range(3):
        RequestFactory(pool=pool)
    page = shown(bench)
    assert "More than 1 requests wait." in page
    assert 'name="all"' not in page


def test_an_undo_asks_why_and_leaves_what_is_paid(bench):
    rows = [RequestFactory(), RequestFactory()]
    confirm(bench, rows)
    bulk = BulkDecision.objects.get()
    page = reverse("admin:entries_bulkdecision_changelist")
    asked = {"action": "undo", "_selected_action": [bulk.pk], "index": "0", "select_across": "0"}
    assert "2 of the 2 of Approve" in bench.post(page, asked).content.decode()
    bench.post(page, asked | {"confirmed": "1", "reason": "The wrong list."})
    assert statuses(*rows) == ["withdrawn", "withdrawn"]


def test_staff_edit_the_templates_and_the_audit_knows(bench, moderator):
    add = reverse("admin:entries_reasontemplate_add")
    bench.post(add, {"kind": "reject", "title": "Twice", "text": "You are here already.", "is_offered": "on"})
    template = ReasonTemplate.objects.get(title="Twice")
    change = reverse("admin:entries_reasontemplate_change", args=[template.pk])
    bench.post(change, {"kind": "reject", "title": "Twice", "text": "One account each.", "is_offered": "on"})
    template.refresh_from_db()
    assert template.text == "One account each."
    told = AuditEntry.objects.filter(action__startswith="reason_template.").order_by("id")
    assert [(entry.action, entry.actor_id) for entry in told] == [
        ("reason_template.added", moderator.pk), ("reason_template.changed", moderator.pk),
    ]  # fmt: skip
