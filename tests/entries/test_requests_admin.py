"""Requests in the back office: every action done, refused, and tried by each role."""

import pytest
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.messages import get_messages
from django.urls import reverse

from accounts.models import User
from config import outbox
from config.clock import database_now
from entries.models import BulkDecision, Request, RequestChange
from entries.services.approvals import approve_request, waitlist_request
from entries.services.lost_places import take_place_back
from entries.services.places import grant_place
from tests.factories.accounts import UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory
from tests.support.sessions import sessions_in_the_database

__all__ = ["sessions_in_the_database"]
pytestmark = pytest.mark.django_db

LIST = reverse("admin:entries_request_changelist")
ACTIONS = ("approve", "reject", "put_on_waiting_list", "take_back")
BUTTONS = ("Approve", "Reject", "Put on the waiting list", "Take back")


@pytest.fixture
def back_office(client):
    """A signed-in browser: `back_office(person)`."""

    def sign_in(person):
        # Groups are joined in the database.
        client.force_login(User.objects.get(pk=person.pk))
        return client

    return sign_in


def choose(browser, action, rows, query="", **fields):
    data = {"action": action, ACTION_CHECKBOX_NAME: [row.pk for row in rows], "index": "0", "select_across": "0"}
    return browser.post(LIST + query, data | fields)


def confirm(browser, action, rows, query="", **fields):
    """Post the confirm page; gives the messages."""
    answer = choose(browser, action, rows, query, **{"confirmed": str(len(rows))} | fields)
    assert answer.status_code == 302, answer.content.decode()[:2000]
    return [str(message) for message in get_messages(answer.wsgi_request)]


def status_of(row):
    return Request.objects.get(pk=row.pk).status


def full_pool(**fields):
    pool = PoolFactory(capacity=1, **fields)
    RequestFactory(pool=pool, approved=True)
    return pool


# --- Each action ------------------------------------------------------------------------------------------------


def test_approving_first_says_what_will_happen(back_office, moderator):
    pool = PoolFactory(name="Cup", capacity=3)
    rows = [RequestFactory(pool=pool) for _ in range(2)] + [RequestFactory(pool=pool, approved=True)]
    page = choose(back_office(moderator), "approve", rows).content.decode()
    assert "2 of 3 are pending; the others are refused." in page
    assert "Cup: 2 asked, 2 free. The oldest requests come first." in page
    assert f"{rows[0].user.display_name} &lt;{rows[0].user.email}&gt;, request 1 for Cup: pending" in page
    assert status_of(rows[0]) == "pending"


def test_many_are_approved_and_the_refused_counted_by_reason(back_office, moderator):
    pool = PoolFactory(capacity=2)
    rows = [RequestFactory(pool=pool) for _ in range(4)]
    ended = RequestFactory(status="withdrawn")
    told = confirm(back_office(moderator), "approve", [*rows, ended])
    assert told == [
        "2 of 5 approved.",
        "2 of 5 refused: All 2 places are taken.",
        "1 of 5 refused: A request that is withdrawn cannot become approved.",
    ]
    assert [status_of(row) for row in rows] == ["approved", "approved", "pending", "pending"]
    assert RequestChange.objects.filter(subject_id=rows[0].pk).last().actor_id == moderator.pk


def test_the_last_place_goes_to_the_oldest_however_the_list_is_sorted(back_office, moderator):
    pool = PoolFactory(capacity=1)
    older, newer = RequestFactory(pool=pool), RequestFactory(pool=pool)
    confirm(back_office(moderator), "approve", [newer, older], query="?o=-1")
    assert [status_of(older), status_of(newer)] == ["approved", "pending"]


def test_a_moderator_cannot_approve_a_request_of_their_own(back_office, moderator):
    own, other = RequestFactory(user=moderator), RequestFactory()
    told = confirm(back_office(moderator), "approve", [own, other])
    assert told == [
        "1 of 2 approved.",
        "1 of 2 refused: Nobody decides about a request of their own. Ask a colleague.",
    ]


def test_rejecting_asks_for_a_reason_until_there_is_one(back_office, moderator):
    rows = [RequestFactory(), RequestFactory()]
    browser = back_office(moderator)
    answer = choose(browser, "reject", rows, confirmed="2", reason="  ")
    assert "Say why." in answer.content.decode()
    assert confirm(browser, "reject", rows, reason="Twice the same person.") == ["2 of 2 rejected."]
    assert {Request.objects.get(pk=row.pk).reason for row in rows} == {"Twice the same person."}


def test_rejecting_what_is_approved_is_refused(back_office, moderator):
    row = RequestFactory(approved=True)
    told = confirm(back_office(moderator), "reject", [row], reason="No.")
    assert told == ["1 of 1 refused: A request that is approved cannot become rejected."]


def test_rejecting_with_too_long_a_reason_is_refused(back_office, moderator):
    told = confirm(back_office(moderator), "reject", [RequestFactory()], reason="x" * 501)
    assert told == ["1 of 1 refused: At most 500 characters."]


def test_requests_of_full_pools_are_put_on_the_waiting_list(back_office, moderator):
    waiting, too_early = RequestFactory(pool=full_pool()), RequestFactory()
    told = confirm(back_office(moderator), "put_on_waiting_list", [waiting, too_early])
    assert told == [
        "1 of 2 put on the waiting list.",
        "1 of 2 refused: The pool has a free place. Approve the request instead.",
    ]
    assert Request.objects.waiting_list().get() == waiting


def test_an_approval_is_taken_back_and_the_next_in_line_moves_up(back_office, moderator):
    pool = PoolFactory(capacity=1)
    held, waiting = RequestFactory(pool=pool), RequestFactory(pool=pool)
    approve_request(request=held, by=moderator, now=database_now())
    waitlist_request(request=waiting, by=moderator, now=database_now())
    assert confirm(back_office(moderator), "take_back", [held], reason="Wrong person.") == ["1 of 1 taken back."]
    assert [status_of(held), status_of(waiting)] == ["withdrawn", "approved"]
    assert Request.objects.get(pk=held.pk).reason == "Wrong person."


def test_a_paid_place_is_not_taken_back(back_office, moderator):
    row = EntryFactory().request
    told = confirm(back_office(moderator), "take_back", [row], reason="Wrong person.")
    assert told == ["1 of 1 refused: This place is paid for. Ask for a refund instead."]


@pytest.mark.parametrize("action", ACTIONS)
def test_every_confirm_page_shows_the_rows_and_changes_nothing(back_office, moderator, action):
    row = RequestFactory()
    answer = choose(back_office(moderator), action, [row])
    assert answer.status_code == 200
    assert row.user.email in answer.content.decode()
    assert RequestChange.objects.filter(subject_id=row.pk).count() == 1


def test_all_rows_of_a_filter_can_be_chosen_at_once(back_office, moderator):
    pool = PoolFactory(capacity=None)
    rows = [RequestFactory(pool=pool) for _ in range(3)]
    RequestFactory()
    query = f"?pool__id__exact={pool.pk}&status__exact=pending"
    told = confirm(back_office(moderator), "approve", rows[:1], query, select_across="1", confirmed="3")
    assert told == ["3 of 3 approved."]


@pytest.mark.parametrize(("action", "reason", "status"), [("approve", "", "approved"), ("reject", "No.", "rejected")])
def test_more_than_a_browser_should_wait_for_are_a_workers(back_office, moderator, monkeypatch, action, reason, status):
    monkeypatch.setattr("config.confirmations.MOST_WHILE_WAITING", 1)
    rows = [RequestFactory(), RequestFactory()]
    answer = choose(back_office(moderator), action, rows, confirmed="2", reason=reason)
    bulk = BulkDecision.objects.get()
    assert answer["Location"] == reverse("admin:entries_bulkdecision_change", args=[bulk.pk])
    assert [status_of(row) for row in rows] == ["pending", "pending"]
    outbox.drain()
    assert [status_of(row) for row in rows] == [status, status]


def test_a_list_that_changed_since_it_was_looked_at_is_shown_again(back_office, moderator):
    pool = PoolFactory(capacity=None)
    row = RequestFactory(pool=pool)
    answer = choose(
        back_office(moderator), "approve", [row], f"?pool__id__exact={pool.pk}", select_across="1", confirmed="2"
    )
    assert "The list changed in the meantime." in answer.content.decode()
    assert status_of(row) == "pending"


# --- Each role --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("action", ACTIONS)
def test_finance_may_look_but_take_no_action(back_office, finance, action):
    row = RequestFactory(pool=full_pool())
    browser = back_office(finance)
    page = browser.get(LIST)
    assert page.status_code == 200
    assert row.user.email in page.content.decode()
    assert f'value="{action}"' not in page.content.decode()
    # Django takes an action it does not offer for a list that is looked at again.
    choose(browser, action, [row], confirmed="1", reason="No.")
    assert RequestChange.objects.filter(subject_id=row.pk).count() == 1


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("role", ["moderator", "admin_user"])
def test_moderators_and_admins_are_offered_every_action(back_office, role, action, request):
    RequestFactory()
    page = back_office(request.getfixturevalue(role)).get(LIST)
    assert f'value="{action}"' in page.content.decode()


@pytest.mark.parametrize("action", ACTIONS)
def test_players_and_strangers_are_sent_to_the_sign_in(back_office, client, player, action):
    row = RequestFactory()
    for browser in (client, back_office(player)):
        answer = choose(browser, action, [row], confirmed="1", reason="No.")
        assert (answer.status_code, answer["Location"].split("?")[0]) == (302, reverse("admin:login"))
    assert status_of(row) == "pending"


@pytest.mark.parametrize("role", ["moderator", "finance", "admin_user"])
def test_nobody_adds_edits_or_deletes_a_request_by_hand(back_office, role, request):
    row = RequestFactory()
    browser = back_office(request.getfixturevalue(role))
    page = reverse("admin:entries_request_change", args=[row.pk])
    assert browser.get(reverse("admin:entries_request_add")).status_code == 403
    assert browser.post(page, {"status": "approved"}).status_code == 403
    assert browser.post(reverse("admin:entries_request_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
    assert status_of(row) == "pending"


# --- The pages --------------------------------------------------------------------------------------------------


def test_the_page_of_a_request_tells_its_history(back_office, moderator, finance):
    row = RequestFactory()
    approve_request(request=row, by=moderator, now=database_now())
    grant_place(request=row, by=finance, now=database_now())
    page = back_office(finance).get(reverse("admin:entries_request_change", args=[row.pk])).content.decode()
    assert moderator.display_name in page
    assert "payment status completed" in page
    assert "50.00 USD" in page


def test_a_refunded_request_is_shown_and_found_as_one(back_office, moderator):
    entry, other = EntryFactory(), EntryFactory()
    take_place_back(request=entry.request, by=moderator, reason="asked for it")
    browser = back_office(moderator)
    page = browser.get(reverse("admin:entries_request_change", args=[entry.request_id])).content.decode()
    assert "payment status refunded" in page
    assert "asked for it" in page
    found = browser.get(LIST, {"payment_status__exact": "refunded"}).content.decode()
    assert entry.user.email in found
    assert other.user.email not in found
    asked = choose(browser, "take_back", [entry.request, other.request]).content.decode()
    assert "1 of 2 is approved." in asked
    assert f"for {entry.pool.name}: refunded" in asked


def test_the_page_of_a_request_offers_the_actions_to_moderators_alone(back_office, moderator, finance):
    page = reverse("admin:entries_request_change", args=[RequestFactory().pk])
    offered = back_office(moderator).get(page).content.decode()
    assert all(f">{label}</button>" in offered for label in BUTTONS)
    looked_at = back_office(finance).get(page).content.decode()
    assert not any(f">{label}</button>" in looked_at for label in BUTTONS)


@pytest.mark.parametrize("term", ["ann@example.test", "Ann Arbor"])
def test_requests_are_found_by_the_players_address_or_name(back_office, moderator, term):
    RequestFactory(user=UserFactory(email="ann@example.test", display_name="Ann Arbor"))
    RequestFactory(user=UserFactory(email="bob@example.test"))
    page = back_office(moderator).get(LIST, {"q": term}).content.decode()
    assert "ann@example.test" in page
    assert "bob@example.test" not in page


@pytest.mark.parametrize(
    "query",
    [
        {"status__exact": "pending"},
        {"payment_status__exact": "not_due"},
        {"waitlisted_at__isempty": "0"},
        {"pool__id__exact": "wanted"},
    ],
)
def test_the_list_is_filtered(back_office, moderator, query):
    wanted = RequestFactory(waitlisted_at=database_now())
    other = RequestFactory(approved=True)
    query = {name: wanted.pool_id if value == "wanted" else value for name, value in query.items()}
    page = back_office(moderator).get(LIST, query).content.decode()
    assert wanted.user.email in page
    assert other.user.email not in page


@pytest.mark.parametrize("role", ["moderator", "finance", "admin_user"])
def test_the_filter_finds_pools_by_name(back_office, role, request):
    wanted = PoolFactory(name="Thursday Cup")
    PoolFactory(name="Other")
    field = {"app_label": "entries", "model_name": "request", "field_name": "pool"}
    browser = back_office(request.getfixturevalue(role))
    found = browser.get(reverse("admin:autocomplete"), {**field, "term": "thursday"}).json()
    assert found["results"] == [{"id": str(wanted.pk), "text": "Thursday Cup"}]


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_however_long_it_is(back_office, moderator, rows, django_assert_num_queries):
    for _ in range(rows):
        RequestFactory(approved=True)
    browser = back_office(moderator)
    with django_assert_num_queries(6):
        page = browser.get(LIST)
    assert page.content.decode().count("50.00 USD") == rows
