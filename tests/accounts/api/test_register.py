"""POST /auth/register."""

from datetime import timedelta

import pytest

from accounts.models import AgeLimit, EmailChange, User
from config.clock import database_now
from tests.accounts.conftest import REGISTRATION, token_in

PATH = "/auth/register"


def without(field):
    return {name: value for name, value in REGISTRATION.items() if name != field}


def test_somebody_registers(caller):
    status, body = caller.post(PATH, REGISTRATION)

    user = User.objects.get()
    assert status == 201
    assert body["data"] == {
        "user": {
            "id": user.pk,
            "email": "ada.lovelace@example.test",
            "display_name": "Ada",
            "role": "player",
            "email_verified": False,
            "country": "GB",
            "region": "ENG",
            "date_of_birth": "1990-12-10",
            "created_at": user.created_at.isoformat().replace("+00:00", "Z"),
        }
    }


def test_the_region_may_be_left_out(caller):
    status, body = caller.post(PATH, without("region"))

    assert (status, body["data"]["user"]["region"]) == (201, "")


def test_a_mail_with_a_link_and_a_token_follows(caller, drained, settings):
    caller.post(PATH, REGISTRATION)

    [mail] = drained()
    token = token_in(mail)
    assert mail.to == ["ada.lovelace@example.test"]
    assert f"{settings.PUBLIC_URL}/verify-email?token={token}" in mail.body
    assert token in mail.alternatives[0].content


@pytest.mark.parametrize("email", ["ADA.lovelace@example.test", " ada.lovelace@EXAMPLE.test "])
def test_a_taken_address_is_refused_in_any_case(caller, email):
    caller.post(PATH, REGISTRATION)

    status, body = caller.post(PATH, REGISTRATION | {"email": email})

    assert (status, body["error"]["code"]) == (409, "EMAIL_TAKEN")
    assert User.objects.count() == 1


@pytest.mark.parametrize("field", ["email", "password", "display_name", "date_of_birth", "country"])
def test_a_missing_field_is_named(caller, field):
    status, body = caller.post(PATH, without(field))

    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(body["error"]["details"]) == [field]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "ada"),
        ("email", ""),
        ("email", None),
        ("email", 7),
        ("email", ["ada@example.test"]),
        ("email", "a" * 250 + "@b.test"),
        ("email", "closed-1@closed.invalid"),
        ("password", "short"),
        ("password", "password123"),
        ("password", "12345678901"),
        ("password", "ada.lovelace"),
        ("password", "x7" * 65),
        ("password", {"a": "b"}),
        ("display_name", "   "),
        ("display_name", "x" * 61),
        ("display_name", "Ada\u0000"),
        ("display_name", "\u202eada"),
        ("date_of_birth", "1990-13-01"),
        ("date_of_birth", "10/12/1990"),
        ("date_of_birth", "1850-01-01"),
        ("date_of_birth", "0000-00-00"),
        ("date_of_birth", 19901210),
        ("country", "UK"),
        ("country", "USA"),
        ("country", "ß"),
        ("region", "no such region"),
        ("region", "x" * 11),
    ],
)
def test_a_bad_value_is_refused_and_named(caller, field, value):
    status, body = caller.post(PATH, REGISTRATION | {field: value})

    assert (status, body["error"]["code"]) == (400, "VALIDATION_ERROR")
    assert list(body["error"]["details"]) == [field]
    assert not User.objects.exists()


def test_nobody_is_born_tomorrow(caller):
    tomorrow = (database_now() + timedelta(days=1)).date()

    status, body = caller.post(PATH, REGISTRATION | {"date_of_birth": tomorrow.isoformat()})

    assert (status, list(body["error"]["details"])) == (400, ["date_of_birth"])


def test_nobody_under_eighteen_registers_and_nothing_is_kept(caller):
    child = (database_now() - timedelta(days=12 * 365)).date()

    status, body = caller.post(PATH, REGISTRATION | {"date_of_birth": child.isoformat()})

    assert (status, body["error"]["code"], body["error"]["details"]) == (403, "NOT_ELIGIBLE", {"minimum_age": 18})
    assert not User.objects.exists()


def test_where_we_may_not_offer_it_nobody_registers(caller):
    AgeLimit.objects.create(country="GB", region="ENG", is_barred=True)

    status, body = caller.post(PATH, REGISTRATION)

    assert (status, body["error"]["code"]) == (403, "NOT_ELIGIBLE")
    assert body["error"]["details"] == {"country": "GB", "region": "ENG"}


def test_where_regions_differ_the_region_is_asked_for(caller):
    AgeLimit.objects.create(country="GB", region="SCT", minimum_age=21)

    status, body = caller.post(PATH, REGISTRATION | {"region": ""})

    assert (status, list(body["error"]["details"])) == (400, ["region"])
    assert caller.post(PATH, REGISTRATION)[0] == 201


def test_an_address_that_was_just_given_up_is_kept_for_its_owner(caller, user):
    now = database_now()
    EmailChange.objects.create(
        user=user,
        old_email="ada.lovelace@example.test",
        new_email=user.email,
        confirmed_at=now,
        undo_until=now + timedelta(hours=1),
    )

    assert caller.post(PATH, REGISTRATION)[1]["error"]["code"] == "EMAIL_TAKEN"


def test_known_passwords_are_refused(caller):
    status, body = caller.post(PATH, REGISTRATION | {"password": "mailcreated5240"})

    assert (status, list(body["error"]["details"])) == (400, ["password"])
    assert "stolen passwords" in " ".join(body["error"]["details"]["password"])


def test_several_faults_are_named_together(caller):
    status, body = caller.post(PATH, REGISTRATION | {"email": "x", "country": "UK", "password": "short"})

    assert status == 400
    assert set(body["error"]["details"]) == {"email", "country", "password"}


@pytest.mark.parametrize("body", ["text", [REGISTRATION], 7, None])
def test_a_body_that_is_no_object_is_refused(caller, body):
    response = caller.http.post(f"/api/v1{PATH}", body, format="json")

    assert (response.status_code, response.json()["error"]["code"]) == (400, "VALIDATION_ERROR")


POWERS = {
    "id": 1,
    "role": "admin",
    "is_staff": True,
    "is_superuser": True,
    "is_active": False,
    "email_verified": True,
    "email_verified_at": "2026-01-01T00:00:00Z",
    "token_version": 99,
    "groups": [1, 2, 3],
    "user_permissions": [1],
    "created_at": "2000-01-01T00:00:00Z",
    "closed_at": "2026-01-01T00:00:00Z",
    "last_login": "2026-01-01T00:00:00Z",
}


def test_nobody_registers_with_powers(caller):
    status, body = caller.post(PATH, REGISTRATION | POWERS)

    assert (status, set(body["error"]["details"])) == (400, set(POWERS))
    assert not User.objects.exists()


def test_the_answer_is_kept_by_no_cache(caller):
    response = caller.http.post(f"/api/v1{PATH}", REGISTRATION, format="json")

    assert response["Cache-Control"] == "no-store"


def test_no_answer_contains_a_password(caller):
    response = caller.http.post(f"/api/v1{PATH}", REGISTRATION, format="json")

    assert b"analytical" not in response.content
    assert b"argon2" not in response.content


def test_registrations_from_one_address_are_limited(caller):
    statuses = [caller.post(PATH, REGISTRATION | {"email": "x"})[0] for _ in range(61)]

    assert statuses == [400] * 60 + [429]
    assert caller.from_address("198.19.255.1").post(PATH, REGISTRATION)[0] == 201
