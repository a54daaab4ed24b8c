"""What people may change about themselves."""

from datetime import date, timedelta

import pytest

from accounts.models import User
from accounts.services.profiles import update_profile
from config.clock import database_now
from config.errors import Malformed
from config.models import AuditEntry
from tests.factories.accounts import UserFactory


def update(user, **changes) -> User:
    return update_profile(user=user, changes=changes, now=database_now())


def test_name_country_and_region_change(user):
    update(user, display_name=" Grace  H. ", country="ca", region="on")

    user.refresh_from_db()
    assert (user.display_name, user.country, user.region) == ("Grace H.", "CA", "ON")


def test_nothing_to_change_writes_nothing(user, django_assert_num_queries):
    now = database_now()

    with django_assert_num_queries(3):  # savepoint, lock, release
        update_profile(user=user, changes={}, now=now)


def test_a_date_of_birth_is_given_once(db):
    user = UserFactory(date_of_birth=None)

    update(user, date_of_birth=date(1980, 1, 2))
    update(user, date_of_birth=date(1980, 1, 2))

    with pytest.raises(Malformed) as caught:
        update(user, date_of_birth=date(1980, 1, 3), display_name="Other")
    assert list(caught.value.details) == ["date_of_birth"]
    user.refresh_from_db()
    assert (user.date_of_birth, user.display_name) != (date(1980, 1, 3), "Other")


def test_a_bad_value_changes_nothing(user):
    with pytest.raises(Malformed) as caught:
        update(user, display_name="Other", country="XX", date_of_birth=database_now().date() + timedelta(days=1))

    assert set(caught.value.details) == {"country", "date_of_birth"}
    assert User.objects.get(pk=user.pk).display_name == user.display_name


def test_the_audit_knows_what_changed_and_not_to_what(user):
    update(user, display_name="Canary", country=user.country)
    update(user, display_name="Canary", country="CA", region="ON")
    update(user, display_name="Canary")

    told = AuditEntry.objects.filter(action="profile.changed", person_id=user.pk).order_by("id")
    assert [one.data["fields"] for one in told] == [["display_name"], ["country", "region"]]
    assert {one.actor_id for one in told} == {user.pk}
