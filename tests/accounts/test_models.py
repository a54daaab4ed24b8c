"""What the database itself refuses about people, whoever asks."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.models import Q

from accounts.models import Role, Session, User, UserChange
from config.audit import attribute
from config.constraints import meaning_of
from config.errors import Code
from tests.factories.accounts import AdminFactory, ModeratorFactory, UserFactory


def run(sql: str, *params) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(sql, params)


def broken_by(sql: str, *params) -> str:
    """The constraint that refuses this SQL."""
    with pytest.raises(IntegrityError) as caught:
        run(sql, *params)
    return caught.value.__cause__.diag.constraint_name


INSERT = """
    INSERT INTO accounts_user
        (email, password, display_name, country, region, role, is_staff, is_superuser, is_active, token_version)
    VALUES (%s, '!', 'X', '', '', %s, %s, %s, true, 1)
"""


def test_an_address_cannot_belong_to_two_people(user):
    assert broken_by(INSERT, user.email, "player", False, False) == "user_email_unique"


def test_an_address_in_another_case_is_refused(user):
    assert broken_by(INSERT, user.email.upper(), "player", False, False) == "user_email_lower_case"


def test_an_address_cannot_be_changed_into_somebody_elses(user):
    other = UserFactory()

    assert broken_by("UPDATE accounts_user SET email = %s WHERE id = %s", user.email, other.pk) == "user_email_unique"


def test_a_taken_address_has_a_code_for_callers(user):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        UserFactory(email=user.email)

    assert meaning_of(caught.value).code is Code.EMAIL_TAKEN


@pytest.mark.parametrize("role", ["owner", "", "ADMIN"])
def test_an_unknown_role_is_refused(db, role):
    assert broken_by(INSERT, "x@example.test", role, role != "player", False) == "user_role_known"


@pytest.mark.parametrize(("role", "is_staff"), [("player", True), ("moderator", False), ("admin", False)])
def test_who_enters_the_back_office_follows_from_the_role(db, role, is_staff):
    assert broken_by(INSERT, "x@example.test", role, is_staff, False) == "user_staff_by_role"


def test_a_superuser_is_an_admin(db):
    assert broken_by(INSERT, "x@example.test", "finance", True, True) == "user_superuser_is_admin"


def test_a_country_is_two_capitals(user):
    for country in ("us", "USA", "1A"):
        with pytest.raises(Exception, match=r"user_country_code|too long"):
            run("UPDATE accounts_user SET country = %s WHERE id = %s", country, user.pk)


def test_a_closed_account_has_no_power(user):
    sql = "UPDATE accounts_user SET closed_at = now() WHERE id = %s"

    assert broken_by(sql, user.pk) == "user_closed_is_powerless"


def test_a_session_ends_at_a_time_and_for_a_known_reason(user):
    session = Session.objects.create(user=user, current_jti="x")

    for change in ("revoked_at = now()", "revoked_because = 'staff'", "revoked_at = now(), revoked_because = 'mood'"):
        assert broken_by(f"UPDATE accounts_session SET {change}") == "session_ends_for_a_reason"
    run("UPDATE accounts_session SET revoked_at = now(), revoked_because = 'staff'")
    assert not Session.objects.live().filter(pk=session.pk).exists()


def changes(user) -> list[tuple]:
    return list(
        UserChange.objects.filter(subject_id=user.pk).values_list(
            "field", "from_value", "to_value", "actor_id", "reason"
        )
    )


def test_raw_sql_that_gives_power_leaves_a_line(user, admin_user):
    with transaction.atomic():
        attribute(by=admin_user, reason="new hire")
        run("UPDATE accounts_user SET role = 'admin', is_staff = true, is_superuser = true WHERE id = %s", user.pk)

    assert changes(user) == [
        ("role", "player", "admin", admin_user.pk, "new hire"),
        ("is_superuser", "false", "true", admin_user.pk, "new hire"),
    ]


def test_one_who_is_made_with_power_leaves_a_line(db):
    assert changes(ModeratorFactory()) == [("role", "", "moderator", None, "")]


def test_changes_without_power_leave_none(user):
    User.objects.filter(pk=user.pk).update(display_name="Other", token_version=7)

    assert changes(user) == []


@pytest.mark.parametrize("sql", ["UPDATE accounts_userchange SET reason = 'x'", "DELETE FROM accounts_userchange"])
def test_the_record_cannot_be_changed(admin_user, sql):
    before = changes(admin_user)

    assert broken_by(sql) == "append_only"
    assert changes(admin_user) == before


def test_the_record_cannot_be_emptied(admin_user):
    assert broken_by("TRUNCATE accounts_userchange") == "append_only_truncate"


def test_a_superuser_made_by_hand_is_a_verified_admin(db):
    user = User.objects.create_superuser("Root@Example.test", "correct horse battery")

    user.refresh_from_db()
    assert (user.email, user.role, user.is_staff, user.email_verified) == ("root@example.test", Role.ADMIN, True, True)
    assert user.check_password("correct horse battery")


def test_somebody_made_with_a_staff_role_is_staff(db):
    assert User.objects.create_user("m@example.test", role=Role.MODERATOR).is_staff
    assert not User.objects.create_user("p@example.test").is_staff


def test_people_are_found_by_address_in_any_case(user):
    assert User.objects.get_by_natural_key(" GRACE@example.test ") == user


def test_a_higher_token_version_ends_browser_sessions(user, settings):
    settings.SECRET_KEY_FALLBACKS = ["an older key"]
    before = {user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()}

    user.token_version += 1

    assert len(before) == 2
    assert before.isdisjoint({user.get_session_auth_hash(), *user.get_session_auth_fallback_hash()})


def test_names_of_rows_are_for_people(user, admin_user):
    assert str(user) == user.display_name
    assert str(User(email="a@b.test")) == "a@b.test"
    assert str(Session(user=user)) == f"Session of {user.pk}"
    assert str(UserChange.objects.get()).endswith(f"of user {admin_user.pk}")


@pytest.mark.parametrize(
    ("make", "is_back_office"), [(UserFactory, False), (ModeratorFactory, True), (AdminFactory, True)]
)
def test_who_works_here(db, make, is_back_office):
    assert make().is_back_office is is_back_office


def test_a_lock_is_on_the_person_alone(user):
    with transaction.atomic():
        sql = str(User.objects.locked().filter(Q(pk=user.pk)).query)

    assert "FOR NO KEY UPDATE OF" in sql
