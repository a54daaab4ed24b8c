"""Rehearsals in the back office: the form, what it refuses and to whom, and the page of what came of it."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from config import outbox
from entries.models import Rehearsal
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.pools import PoolFactory
from tests.support.rehearsing import rows_of, season

pytestmark = pytest.mark.django_db

LIST, NEW = reverse("admin:entries_rehearsal_changelist"), reverse("admin:entries_rehearsal_new")
MIX = {"favourites": 55, "chance": 20, "contrarian": 20, "forgetful": 5}


@pytest.fixture
def competition():
    return season()


@pytest.fixture
def browser(client, moderator):
    client.force_login(User.objects.get(pk=moderator.pk))
    return client


def filled_in(competition, **fields):
    return {
        "competition": competition.pk, "rules": "template:classic", "other": "template:two-lives", "origin": "made_up",
        "entries": 50, "fee": "25.00", "currency": "usd", "seed": 4, **MIX, **fields,
    }  # fmt: skip


def page_of(answer):
    return answer.content.decode()


def test_from_the_form_to_what_came_of_it(browser, competition):
    looked = browser.post(NEW, filled_in(competition, step="look"))
    assert "An entry survives one loss" in page_of(looked)
    assert not Rehearsal.objects.exists()

    started = browser.post(NEW, filled_in(competition, step="run"))
    rehearsal = Rehearsal.objects.get()
    address = reverse("admin:entries_rehearsal_change", args=[rehearsal.pk])
    assert started["Location"] == address
    waiting = browser.get(address)
    assert (waiting["Refresh"], "0 of 6 rounds are played." in page_of(waiting)) == ("2", True)

    outbox.drain()

    done = browser.get(address)
    assert "Refresh" not in done
    for words in ("Ends in round", "Entries left after each round", "Teams picked most", "1,250.00 USD", "≠"):
        assert words in page_of(done), words
    assert f"?like={rehearsal.pk}" in page_of(done)
    assert browser.get(f"{NEW}?like={'9' * 5000}&rules=pool:{'9' * 5000}").status_code == 200
    again = browser.get(f"{NEW}?like={rehearsal.pk}")
    assert again.context["form"]["seed"].value() == 4
    assert "Classic / Two lives" in page_of(browser.get(LIST))


@pytest.mark.slow
def test_the_list_does_not_read_the_picks_of_files(browser, competition):
    browser.post(NEW, filled_in(competition, step="run"))
    with CaptureQueriesContext(connection) as seen:
        assert browser.get(LIST).status_code == 200
    assert not any("file_picks" in query["sql"] for query in seen)


@pytest.mark.slow
def test_a_number_that_is_none_is_no_fault_of_ours(browser, competition):
    long = "9" * 5_000
    assert browser.get(NEW, {"like": long}).status_code == 200
    for fields in ({"like": long}, {"rules": f"pool:{long}"}, {"other": "9" * 19}):
        assert browser.post(NEW, filled_in(competition, step="look", **fields)).status_code == 200


@pytest.mark.slow
def test_a_file_is_read_as_imports_are_and_can_be_played_again_without_it(browser, competition):
    lines = ["entry,owner,round,team", *(f"{r.entry},{r.owner},{r.round},{r.team}" for r in rows_of(competition))]
    file = SimpleUploadedFile("picks.csv", "\n".join(lines).encode())
    browser.post(NEW, filled_in(competition, step="run", origin="file", file=file))
    first = Rehearsal.objects.get()
    assert (first.entries, len(first.file_picks)) == (30, 30)

    browser.post(NEW, filled_in(competition, step="run", origin="file", like=first.pk))

    assert Rehearsal.objects.first().file_picks == first.file_picks


@pytest.mark.slow
def test_what_is_refused_is_told_with_its_code(browser, competition):
    for fields, said in (
        ({"entries": 10_001}, "less than or equal to 10000"),
        ({"favourites": 54}, "The shares must add up to 100; these are 99. (VALIDATION_ERROR)"),
        ({"first": 7}, "has no round 7; it has 1 to 6. (VALIDATION_ERROR)"),
        ({"other": "template:classic"}, "there is nothing to compare. (VALIDATION_ERROR)"),
        ({"origin": "pool"}, "Choose the pool whose picks are played. (VALIDATION_ERROR)"),
        ({"origin": "file"}, "Choose the file with the picks. (VALIDATION_ERROR)"),
        ({"currency": "xxx"}, "such as usd. (VALIDATION_ERROR)"),
        ({"fee": "0.01"}, "(VALIDATION_ERROR)"),
    ):
        assert said in page_of(browser.post(NEW, filled_in(competition, step="run", **fields))), fields
    assert not Rehearsal.objects.exists()


def test_only_who_may_make_pools_sees_any_of_it(client, competition):
    pool = PoolFactory()
    for person, status in ((FinanceFactory(), 403), (UserFactory(), 302)):
        client.force_login(User.objects.get(pk=person.pk))
        assert client.get(LIST).status_code == status
        assert client.get(NEW).status_code == status
        assert client.post(NEW, filled_in(competition, step="run")).status_code == status
        assert b"Rehearse its rules" not in client.get(f"/admin/pools/pool/{pool.pk}/change/").content
    assert not Rehearsal.objects.exists()


@pytest.mark.slow
def test_pools_and_the_studio_lead_there(browser):
    pool = PoolFactory(rules={"strikes": 1})
    assert f"{NEW}?rules=pool:{pool.pk}" in page_of(browser.get(f"/admin/pools/pool/{pool.pk}/change/"))
    assert NEW in page_of(browser.get("/admin/pools/pool/studio/"))
    assert browser.get(f"{NEW}?rules=pool:{pool.pk}").context["form"]["rules"].value() == f"pool:{pool.pk}"
