"""Entries in the back office: to look at, and never what they picked."""

import pytest
from django.urls import reverse

from accounts.models import User
from entries.services.fallbacks import save_fallback
from entries.services.lost_places import suspend_entry
from tests.factories.entries import EntryFactory, pick
from tests.factories.pools import PoolFactory, league
from tests.support.sessions import sessions_in_the_database

__all__ = ["sessions_in_the_database"]
pytestmark = pytest.mark.django_db

LIST = reverse("admin:entries_entry_changelist")


@pytest.fixture
def look(client):
    """The text of a page, as this person sees it."""

    def get(person, address, query=None):
        client.force_login(User.objects.get(pk=person.pk))
        answer = client.get(address, query)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def page_of(entry):
    return reverse("admin:entries_entry_change", args=[entry.pk])


@pytest.mark.parametrize("role", ["moderator", "finance", "admin_user"])
def test_nobody_sees_what_was_picked_only_how_often(look, role, request):
    person = request.getfixturevalue(role)
    entry = EntryFactory(in_pool=PoolFactory(competition=league(codes=("ZEBRAS", "YAKS"))))
    pick(entry, 1, "ZEBRAS")
    for address in (LIST, page_of(entry)):
        assert "ZEBRAS" not in look(person, address).upper()
    assert "Picks made" in look(person, page_of(entry))


def test_whether_an_entry_has_a_fallback_list_is_told_and_nothing_of_it(look, moderator):
    entry = EntryFactory(
        in_pool=PoolFactory(competition=league(codes=("ZEBRAS", "YAKS")), rules={"missed_pick": "fallback"})
    )
    # The other yes is that its player lets us remind.
    assert look(moderator, page_of(entry)).count('title="True"') == 1
    save_fallback(entry_id=entry.pk, user=entry.user, teams=["ZEBRAS"])
    page = look(moderator, page_of(entry))
    assert "Has a fallback list" in page
    assert page.count('title="True"') == 2
    assert "ZEBRAS" not in page.upper()


def test_suspended_entries_are_shown_and_found(look, moderator):
    entry, other = EntryFactory(), EntryFactory()
    suspend_entry(entry=entry, by=None, reason="disputed")
    assert "Is suspended" in look(moderator, page_of(entry))
    found = look(moderator, LIST, {"is_suspended__exact": "1"})
    assert page_of(entry) in found
    assert page_of(other) not in found


@pytest.mark.parametrize("role", ["moderator", "finance", "admin_user"])
def test_nobody_adds_edits_or_deletes_an_entry_by_hand(client, role, request):
    entry = EntryFactory()
    client.force_login(User.objects.get(pk=request.getfixturevalue(role).pk))
    assert client.get(reverse("admin:entries_entry_add")).status_code == 403
    assert client.post(page_of(entry), {"status": "winner"}).status_code == 403
    assert client.post(reverse("admin:entries_entry_delete", args=[entry.pk]), {"post": "yes"}).status_code == 403
    entry.refresh_from_db()
    assert entry.status == "active"


def test_the_page_of_an_entry_tells_its_history(look, moderator):
    entry = EntryFactory()
    entry.status, entry.eliminated_round_number, entry.eliminated_code = "eliminated", 2, "pick_lost"
    entry.save()
    page = look(moderator, page_of(entry))
    assert "eliminated code pick lost" in page
    assert "the system" in page


def test_entries_are_found_by_player_reference_and_filter(look, moderator):
    wanted, other = EntryFactory(reference="C-1042"), EntryFactory()
    for query in ({"q": wanted.user.email}, {"q": "C-1042"}, {"pool__id__exact": wanted.pool_id}):
        page = look(moderator, LIST, query)
        assert wanted.user.display_name in page
        assert f">{other.user.display_name}<" not in page


@pytest.mark.parametrize("rows", [1, 3])
def test_the_list_costs_the_same_however_long_it_is(client, moderator, rows, django_assert_num_queries):
    for _ in range(rows):
        EntryFactory()
    client.force_login(User.objects.get(pk=moderator.pk))
    with django_assert_num_queries(6):
        client.get(LIST)


def test_picks_have_no_page():
    from django.contrib import admin

    from entries.models import Pick, PickChange

    assert not admin.site.is_registered(Pick)
    assert not admin.site.is_registered(PickChange)
