"""Personal data in the back office: for few, behind a reason, and every look is written down."""

from datetime import date

import pytest

from accounts.models import PersonalDetails
from config.models import AuditEntry
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory


@pytest.fixture
def person(db):
    user = UserFactory(date_of_birth=date(1984, 2, 28))
    PersonalDetails.objects.create(user=user, legal_name="Ada Canary", tax_country="GB", tax_number="QQ 123456 C")
    return user


def page_of(person) -> str:
    return f"/admin/accounts/user/{person.pk}/personal-data"


@pytest.mark.parametrize("make", [FinanceFactory, AdminFactory])
def test_who_may_sees_it_after_saying_why(browser, person, make):
    by = make()
    client = browser(by).client

    asked = client.get(page_of(person)).content.decode()
    shown = client.post(page_of(person), {"reason": "form 1099"})

    assert not any(canary in asked for canary in ("Canary", "1984", "123456"))
    page = shown.content.decode()
    assert all(canary in page for canary in ("Ada Canary", "1984-02-28", "QQ 123456 C", "GB"))
    assert "no-cache" in shown["Cache-Control"] or "no-store" in shown["Cache-Control"]
    seen = AuditEntry.objects.get(action="personal_data.seen")
    assert (seen.person_id, seen.actor_id, seen.reason) == (person.pk, by.pk, "form 1099")


@pytest.mark.parametrize("reason", ["", "   "])
def test_without_a_reason_nothing_is_shown_and_nothing_written(browser, person, reason):
    page = browser(FinanceFactory()).client.post(page_of(person), {"reason": reason}).content.decode()

    assert "Canary" not in page
    assert not AuditEntry.objects.filter(action="personal_data.seen").exists()


@pytest.mark.parametrize("method", ["get", "post"])
def test_moderators_do_not_see_it(browser, person, method):
    response = getattr(browser(ModeratorFactory()).client, method)(page_of(person), {"reason": "curious"})

    assert response.status_code == 403
    assert not AuditEntry.objects.filter(action="personal_data.seen").exists()


def test_players_are_sent_to_the_door(browser, person):
    assert browser(person).client.get(page_of(person)).status_code == 302


def test_whoever_is_not_there_has_no_page(browser, db):
    assert browser(FinanceFactory()).client.get("/admin/accounts/user/999999/personal-data").status_code == 404


def test_the_page_of_a_person_does_not_show_it(browser, person):
    page = browser(AdminFactory()).client.get(f"/admin/accounts/user/{person.pk}/change/").content.decode()

    assert not any(canary in page for canary in ("Canary", "1984", "123456"))
    assert page_of(person) in page


def test_moderators_are_not_led_there(browser, person):
    page = browser(ModeratorFactory()).client.get(f"/admin/accounts/user/{person.pk}/change/").content.decode()

    assert page_of(person) not in page


def test_somebody_who_told_nothing_has_a_page_too(browser, db):
    page = browser(FinanceFactory()).client.post(page_of(UserFactory(date_of_birth=None)), {"reason": "x"})

    assert page.content.decode().count("not told") == 3
    assert "not known" in page.content.decode()
