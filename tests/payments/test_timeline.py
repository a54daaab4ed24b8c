"""Everything that happened to one place on one page: the whole story, no secret of it, and nothing twice."""

import pytest
from django.urls import reverse

from accounts.models import MessagePreferences, User
from accounts.models.letters import Letter
from config import outbox
from config.clock import database_now
from entries.models.reminder import Reminder
from entries.services.announcements import send_announcement, write_announcement
from entries.services.bulk_decisions import run_bulk_decision, start_bulk_decision
from entries.services.picks import delete_pick, save_pick
from payments.timeline import timeline_of
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.payments import paid_entry
from tests.factories.pools import PoolFactory, kick_off, lock_round
from tests.support.buying_back import ask, fallen_in, generous_pool, pay
from tests.support.by_hand import recorded
from tests.support.playing import play
from tests.support.refunding import asked
from tests.support.refusals import refused
from tests.support.ruling import rule
from tests.support.sessions import sessions_in_the_database
from tests.support.weekend import game, weekly_pool

__all__ = ["sessions_in_the_database"]
pytestmark = pytest.mark.django_db


def told(request, *, with_money=True):
    """The lines, as they read."""
    return [line.what for line in timeline_of(request_id=request.pk, with_money=with_money).lines]


def choose(entry, number, *codes):
    return save_pick(entry_id=entry.pk, user=entry.user, round_number=number, teams=codes)


def page_of(browser, person, request):
    # Groups are joined in the database.
    browser.force_login(User.objects.get(pk=person.pk))
    return browser.get(reverse("admin:payments_timeline", args=[request.pk]))


def in_order(lines, *wanted):
    """Whether these beginnings are there, one after the other."""
    left = iter(lines)
    return all(any(line.startswith(one) for line in left) for one in wanted)


def test_it_tells_the_story_from_the_request_to_the_refund(moderator, finance):
    pool = PoolFactory(rules={"strikes": 1})
    request = RequestFactory(pool=pool)
    bulk = start_bulk_decision(kind="approve", request_ids=[request.pk], by=moderator)
    run_bulk_decision(bulk_id=bulk.pk)
    request.refresh_from_db()
    entry = paid_entry(request)
    choose(entry, 1, "ANT"), choose(entry, 1, "BAT")
    others = [EntryFactory(in_pool=pool) for _ in range(2)]
    for other in others:
        pick(other, 1, "ANT"), pick(other, 2, "CAT")
    play(pool, 1)
    choose(entry, 2, "DOG")
    play(pool, 2)
    rule("disqualify", entry=others[0])
    receipt = entry.receipts.get()
    asked(receipt, finance, taken_from="house")
    outbox.drain()

    story = timeline_of(request_id=request.pk, with_money=True)
    lines = [line.what for line in story.lines]
    assert in_order(
        lines,
        f"Request {request.pk}: made, pending",
        f"Request {request.pk}: approved",
        f"Approve {bulk.pk}, among others: done",
        "Payment",
        "Entry 1: made, active",
        "Receipt",
        "Round 1, pick: ANT",
        "Round 1, pick: ANT → BAT",
        "Round 1, game of BAT: final",
        "Entry 1: changed",
        "Round 2, pick: DOG",
        "Round 2, game of DOG: final",
        "Entry 1: eliminated",
        "Refund",
    ), "\n".join(lines)
    assert "Mail sent: request approved" in lines
    assert [line.at for line in story.lines] == sorted(line.at for line in story.lines)
    approved = next(line for line in story.lines if line.what == f"Request {request.pk}: approved")
    assert (story.names[approved.actor_id], approved.link) == (str(moderator), ("entries_request_change", request.pk))
    assert approved.details["fee"] == "50.00 USD"
    out = next(line for line in story.lines if line.what == "Entry 1: eliminated")
    assert (out.details["eliminated round number"], out.details["strikes"]) == ("2", "1")
    assert not any("disqualify" in line for line in lines)
    assert any(line.startswith("Ruling") for line in told(others[0].request))


def test_a_return_is_part_of_the_story_and_leads_to_it():
    entry = fallen_in(generous_pool())
    back = ask(entry)
    back.refresh_from_db()
    pay(back)
    lines = told(entry.request)
    assert in_order(lines, "Entry 1: eliminated", f"Buy-back {back.pk}: made, approved", "Back in from round 2 on")
    assert told(back) == lines


def test_what_can_still_change_is_secret_and_so_is_how_often_it_did(client, moderator):
    entry = EntryFactory()
    for code in ("ANT", "BAT", "ANT"):
        choose(entry, 1, code)
    choose(entry, 2, "CAT")
    page = page_of(client, moderator, entry.request).content.decode()
    assert "secret until the lock: round 1, 2." in page
    assert not any(code in page for code in ("ANT", "BAT", "CAT"))
    assert not any("Round" in line for line in told(entry.request))

    lock_round(entry.pool.competition.rounds.get(number=1))

    page = page_of(client, moderator, entry.request).content.decode()
    assert page.count("Round 1, pick") == 3
    assert "CAT" not in page
    assert "secret until the lock: round 2." in page


def test_that_somebody_was_reminded_shows_once_the_round_is_revealed():
    entry = EntryFactory()
    first = entry.pool.competition.rounds.get(number=1)
    letter = Letter.objects.create(user=entry.user, kind="reminder", subject_id=first.pk, key="r", status="delivered")
    Reminder.objects.create(entry=entry, round=first, hours=12, locks_at=first.locks_at, letter=letter)
    assert not any("Reminder" in line for line in told(entry.request))
    lock_round(first)
    assert "Reminder for round 1, 12 h before its lock: delivered" in told(entry.request)


def test_what_was_announced_to_the_pool_is_part_of_the_story_of_who_got_it(moderator):
    reader, other = (EntryFactory(in_pool=pool) for pool in [PoolFactory()] * 2)
    MessagePreferences.objects.create(user=other.user, announcements=False)
    texts = {"en": {"subject": "A round of its own", "body": "The rounds are drawn."}}
    drafts = [write_announcement(pool=reader.pool, audience="players", texts=texts, by=moderator) for _ in range(2)]
    sent = send_announcement(announcement=drafts[0], by=moderator, now=database_now())

    story = timeline_of(request_id=reader.request_id, with_money=False)

    (line,) = [line for line in story.lines if "Announcement" in line.what]
    assert line.what == "Announcement, A round of its own: queued"
    assert (line.actor_id, line.link) == (moderator.pk, ("entries_announcement_change", sent.pk))
    assert not any("Announcement" in line for line in told(other.request))


def test_where_each_game_locks_for_itself_changes_show_once_the_round_is_closed():
    entry = EntryFactory(in_pool=weekly_pool())
    choose(entry, 1, "ANT")
    delete_pick(entry_id=entry.pk, user=entry.user, round_number=1)
    choose(entry, 1, "ANT")
    kick_off(game("ANT"))
    # Its pick shows with its game; what else was thought of does not.
    story = timeline_of(request_id=entry.request_id, with_money=True)
    assert story.secret == []
    assert not any("pick" in line.what for line in story.lines)


def test_money_is_for_those_who_see_money(client, moderator, finance):
    request = RequestFactory(approved=True)
    recorded(request, by=finance)
    entry = paid_entry(RequestFactory(approved=True))
    for one in (request, entry.request):
        seen = page_of(client, finance, one).content.decode()
        unseen = page_of(client, moderator, one).content.decode()
        assert "Payment " in seen
        assert "Payment " not in unseen
        assert "Receipt" not in unseen
        assert "Without money: you may not see it." in unseen


def test_each_line_has_both_clocks_its_actor_and_its_row(client, moderator, finance):
    request = RequestFactory(pool__competition__time_zone="America/New_York")
    bulk = start_bulk_decision(kind="reject", request_ids=[request.pk], by=moderator, reason="Not this time.")
    run_bulk_decision(bulk_id=bulk.pk)
    page = page_of(client, moderator, request).content.decode()
    assert " UTC</time>" in page
    assert "America/New_York" in page
    assert any(f" {zone}</span>" in page for zone in ("EST", "EDT"))
    assert f"· {moderator}" in page
    assert "Not this time." in page
    assert reverse("admin:entries_bulkdecision_change", args=[bulk.pk]) in page
    # Finance may not look at bulk decisions: the line is there, without a link.
    page = page_of(client, finance, request).content.decode()
    assert f"Reject {bulk.pk}, among others: done" in page
    assert reverse("admin:entries_bulkdecision_change", args=[bulk.pk]) not in page


def test_it_is_found_from_the_request_and_from_the_entry(client, moderator):
    entry = EntryFactory()
    address = reverse("admin:payments_timeline", args=[entry.request_id])
    assert page_of(client, moderator, entry.request).status_code == 200
    of_request = client.get(reverse("admin:entries_request_change", args=[entry.request_id])).content.decode()
    assert address in of_request
    assert client.get(reverse("admin:payments_timeline_of_entry", args=[entry.pk]))["Location"] == address
    of_entry = client.get(reverse("admin:entries_entry_change", args=[entry.pk])).content.decode()
    assert reverse("admin:payments_timeline_of_entry", args=[entry.pk]) in of_entry


def test_what_is_not_there_and_who_may_not_look(client, moderator, player):
    request = RequestFactory()
    assert refused(timeline_of, request_id=request.pk + 99, with_money=True) == "NOT_FOUND"
    assert page_of(client, moderator, type(request)(pk=request.pk + 99)).status_code == 404
    assert client.get(reverse("admin:payments_timeline_of_entry", args=[4711])).status_code == 404
    assert page_of(client, player, request).status_code == 302


@pytest.mark.parametrize("rounds", [1, 2])
def test_it_costs_the_same_however_much_has_happened(client, admin_user, rounds, django_assert_num_queries):
    pool = PoolFactory()
    entry = paid_entry(RequestFactory(approved=True, pool=pool))
    other = EntryFactory(in_pool=pool)
    for number, code in list(enumerate(("ANT", "CAT"), start=1))[:rounds]:
        choose(entry, number, code), pick(other, number, code)
        play(pool, number)
    page_of(client, admin_user, entry.request)
    with django_assert_num_queries(31):
        page = client.get(reverse("admin:payments_timeline", args=[entry.request_id]))
    assert page.content.decode().count("game of") == rounds
