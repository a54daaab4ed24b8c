"""Exclusions and limits in the back office: looked at, added to, never taken back."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Exclusion, ExclusionKind, SpendingLimit
from accounts.services.exclusions import begin_exclusion
from accounts.services.spending import set_limit
from config.clock import database_now
from tests.accounts.admin.conftest import browser
from tests.factories.accounts import FinanceFactory, ModeratorFactory

__all__ = ["browser"]

EXCLUSIONS, LIMITS = "/admin/accounts/exclusion/", "/admin/accounts/spendinglimit/"


@pytest.fixture
def form(user):
    return {"user": str(user.pk), "days": "30", "reason": "asked by a court"}


def add(browser, form):
    return browser.client.post(f"{EXCLUSIONS}add/", form)


def test_staff_exclude_a_player(browser, moderator, user, form):
    answer = add(browser(moderator), form)

    exclusion = Exclusion.objects.get()
    assert answer.status_code == 302
    assert (exclusion.user, exclusion.kind, exclusion.by, exclusion.reason) == (
        user,
        "staff",
        moderator,
        "asked by a court",
    )
    assert exclusion.until - exclusion.begins_at == timedelta(days=30)


def test_for_good_by_leaving_the_days_empty(browser, admin_user, form):
    add(browser(admin_user), form | {"days": ""})

    assert Exclusion.objects.get().until is None


@pytest.mark.parametrize("bad", [{"reason": " "}, {"user": ""}, {"days": "0"}, {"days": "4000"}, {"days": "x"}])
def test_nonsense_stays_on_the_form(browser, admin_user, form, bad):
    assert add(browser(admin_user), form | bad).status_code == 200
    assert not Exclusion.objects.exists()


def test_kind_name_and_end_are_not_taken_from_the_form(browser, admin_user, stranger, form):
    add(browser(admin_user), form | {"kind": "cooling_off", "by": str(stranger.pk), "until": "2026-01-01 00:00:00"})

    exclusion = Exclusion.objects.get()
    assert (exclusion.kind, exclusion.by) == ("staff", admin_user)
    assert exclusion.until > database_now()


def test_it_is_asked_for_the_password_before(browser, admin_user, form):
    boss = browser(admin_user)
    session = boss.client.session
    session["authenticated_at"] = (database_now() - timedelta(minutes=11)).timestamp()
    session.save()

    page = add(boss, form)

    assert "Is it you?" in page.content.decode()
    assert not Exclusion.objects.exists()


def test_nobody_changes_or_deletes_one(browser, admin_user, user):
    exclusion = begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=42)
    boss, page = browser(admin_user), f"{EXCLUSIONS}{exclusion.pk}/"

    assert boss.client.get(f"{page}change/").status_code == 200
    assert boss.client.post(f"{page}change/", {"days": "1", "reason": "mercy"}).status_code == 403
    assert boss.client.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    boss.act("delete_selected", exclusion, path=EXCLUSIONS, reason="mercy")
    assert Exclusion.objects.get().until == exclusion.until


def test_finance_looks_and_excludes_nobody(browser, user, form):
    begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=42)
    finance = browser(FinanceFactory())

    assert finance.client.get(EXCLUSIONS).status_code == 200
    assert add(finance, form).status_code == 403
    assert Exclusion.objects.count() == 1


def test_limits_are_looked_at_by_finance_and_admins_alone(browser, admin_user, user):
    set_limit(user=user, currency="usd", amount_cents=12_345, now=database_now())
    set_limit(user=user, currency="usd", amount_cents=None, now=database_now())
    row = SpendingLimit.objects.last()

    for person in (FinanceFactory(), admin_user):
        page = browser(person).client.get(LIMITS).content.decode()
        assert "123.45 USD" in page
        assert "no limit" in page
    assert browser(admin_user).client.post(f"{LIMITS}{row.pk}/change/", {"amount_cents": "1"}).status_code == 403
    assert browser(admin_user).client.get(f"{LIMITS}add/").status_code == 403
    assert browser(ModeratorFactory()).client.get(LIMITS).status_code == 403


def test_a_list_asks_as_often_for_one_as_for_three(browser, admin_user, user, stranger):
    boss = browser(admin_user)
    begin_exclusion(user=user, kind=ExclusionKind.COOLING_OFF, days=42)
    boss.client.get(EXCLUSIONS)

    def asked():
        with CaptureQueriesContext(connection) as log:
            boss.client.get(EXCLUSIONS)
        return len(log)

    one = asked()
    for person in (stranger, ModeratorFactory()):
        begin_exclusion(user=person, kind=ExclusionKind.COOLING_OFF, days=42)
    assert asked() == one
