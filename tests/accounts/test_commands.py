"""`createsuperuser --noinput`, as a deployment calls it."""

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Role, User
from accounts.services.sessions import sign_in


@pytest.fixture
def environment(monkeypatch, db):
    monkeypatch.setenv("DJANGO_SUPERUSER_EMAIL", "Root@Example.test")
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", "correct horse battery")


def test_it_makes_an_admin_who_can_sign_in(environment):
    call_command("createsuperuser", interactive=False, verbosity=0)

    user = User.objects.get()
    assert (user.email, user.role, user.is_superuser, user.is_staff) == ("root@example.test", Role.ADMIN, True, True)
    assert user.email_verified
    assert list(user.groups.values_list("name", flat=True)) == ["admin"]
    assert sign_in(email="root@example.test", password="correct horse battery").user == user


def test_a_second_time_is_refused_without_a_trace(environment):
    call_command("createsuperuser", interactive=False, verbosity=0)

    with pytest.raises(CommandError, match="already taken"):
        call_command("createsuperuser", interactive=False, verbosity=0)


def test_without_an_address_it_says_what_is_missing(db, monkeypatch):
    monkeypatch.delenv("DJANGO_SUPERUSER_EMAIL", raising=False)

    with pytest.raises(CommandError, match="email"):
        call_command("createsuperuser", interactive=False, verbosity=0)
