"""Ages and barred places in the back office."""

import pytest

from accounts.models import AgeLimit, AgeLimitChange
from tests.accounts.admin.conftest import messages_of
from tests.factories.accounts import FinanceFactory, ModeratorFactory

LIST = "/admin/accounts/agelimit/"
FORM = {"country": "us", "region": "nv", "minimum_age": "21", "reason": "NRS 463"}


@pytest.fixture
def boss(browser, admin_user):
    return browser(admin_user)


def test_a_place_is_added_changed_and_removed_each_time_with_a_reason(boss, admin_user):
    assert boss.client.post(f"{LIST}add/", FORM).status_code == 302
    row = AgeLimit.objects.get()
    boss.client.post(f"{LIST}{row.pk}/change/", {**FORM, "is_barred": "on", "reason": "AB 1"})
    row.refresh_from_db()
    page = boss.client.get(f"{LIST}{row.pk}/change/").content.decode()

    assert (row.country, row.region, row.minimum_age, row.is_barred) == ("US", "NV", 21, True)
    assert all(told in page for told in ("NRS 463", "AB 1", "from 21 years", "barred"))

    assert messages_of(boss.act("remove", row, path=LIST, reason="repealed")) == ["1 of 1 removed."]
    assert not AgeLimit.objects.exists()
    assert [one.reason for one in AgeLimitChange.objects.order_by("id")] == ["NRS 463", "AB 1", "repealed"]
    assert {one.actor_id for one in AgeLimitChange.objects.all()} == {admin_user.pk}
    told = boss.client.get("/admin/accounts/agelimitchange/").content.decode()
    assert "US-NV" in told
    assert "removed" in told


@pytest.mark.parametrize(
    "bad", [{"reason": ""}, {"country": "UK"}, {"region": "n v"}, {"minimum_age": "0"}, {"minimum_age": "x"}]
)
def test_nonsense_stays_on_the_form(boss, bad):
    assert boss.client.post(f"{LIST}add/", {**FORM, **bad}).status_code == 200
    assert not AgeLimit.objects.exists()


def test_a_place_has_one_row(boss):
    boss.client.post(f"{LIST}add/", FORM)

    assert "There is a row for this place already." in boss.client.post(f"{LIST}add/", FORM).content.decode()
    assert AgeLimit.objects.count() == 1


def test_the_place_of_a_row_does_not_change(boss):
    boss.client.post(f"{LIST}add/", FORM)
    row = AgeLimit.objects.get()

    boss.client.post(f"{LIST}{row.pk}/change/", {**FORM, "country": "CA", "region": ""})

    assert [str(row) for row in AgeLimit.objects.all()] == ["US-NV: 21"]


@pytest.mark.parametrize("make", [ModeratorFactory, FinanceFactory])
def test_others_look_and_change_nothing(browser, boss, make):
    boss.client.post(f"{LIST}add/", FORM)
    row, other = AgeLimit.objects.get(), browser(make())

    assert other.client.get(LIST).status_code == 200
    assert other.client.get(f"{LIST}add/").status_code == 403
    assert other.client.post(f"{LIST}{row.pk}/change/", {**FORM, "minimum_age": "16"}).status_code == 403
    other.act("remove", row, path=LIST, reason="x")
    assert AgeLimit.objects.get().minimum_age == 21
