"""One-time codes, below every door."""

from datetime import timedelta

import pyotp
import pytest
from django.db import IntegrityError, connection, transaction

from accounts.models import RecoveryCode, Totp, User, UserChange
from accounts.services.closing import close_account
from accounts.services.one_time_codes import OtpRequired, SecondFactorMissing, WrongCode, pass_second_factor
from accounts.services.second_factor import (
    begin_setup,
    confirm_setup,
    forget_old_setups,
    renew_recovery_codes,
    reset_second_factor,
)
from accounts.services.sessions import sign_in
from config.clock import database_now
from config.errors import Code, DomainError
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.support.devices import SECONDS, Device, give_device


def passes(user, otp, now=None) -> bool:
    with transaction.atomic():
        person = User.objects.locked().get(pk=user.pk)
        return pass_second_factor(user=person, otp=otp, now=now or database_now())


def set_up(user) -> tuple[Device, list[str]]:
    device = Device(begin_setup(user=user).secret)
    return device, confirm_setup(user=user, code=device.code(), now=database_now())


@pytest.mark.parametrize("beside", [-1, 0, 1])
def test_a_code_of_now_and_of_the_half_minutes_beside_is_good(user, beside):
    now = database_now()
    code = give_device(user).at(int(now.timestamp()) // SECONDS + beside)

    assert passes(user, code, now)


@pytest.mark.parametrize("beside", [-2, 2])
def test_a_code_from_further_away_is_not(user, beside):
    now = database_now()
    code = give_device(user).at(int(now.timestamp()) // SECONDS + beside)

    with pytest.raises(WrongCode):
        passes(user, code, now)


def test_a_code_may_be_typed_with_spaces(user):
    code = give_device(user).code()

    assert passes(user, f" {code[:3]} {code[3:]} ")


def test_a_code_counts_once(user):
    code = give_device(user).code()
    passes(user, code)

    with pytest.raises(WrongCode):
        passes(user, code)


def test_after_a_code_no_earlier_one_counts(user):
    device = give_device(user)
    passes(user, device.beside(1))

    for beside in (-1, 0):
        with pytest.raises(WrongCode):
            passes(user, device.beside(beside))


@pytest.mark.parametrize("otp", ["", None])
def test_without_a_code_it_is_asked_for(user, otp):
    give_device(user)

    with pytest.raises(OtpRequired) as caught:
        passes(user, otp)

    assert (caught.value.code, caught.value.details) == (Code.OTP_REQUIRED, {"is_set_up": True})


@pytest.mark.parametrize("otp", ["abcdef", "12345", "1234567", "!", "x" * 20, "٠١٢٣٤٥"])
def test_what_is_no_code_is_wrong(user, otp):
    give_device(user)

    with pytest.raises(WrongCode):
        passes(user, otp)


def test_a_code_of_somebody_elses_device_is_wrong(user):
    give_device(user)

    with pytest.raises(WrongCode):
        passes(user, give_device(UserFactory()).code())


def test_a_code_nobody_can_check_is_refused_by_name(user):
    with pytest.raises(DomainError) as caught:
        passes(user, "123456")

    assert list(caught.value.details) == ["otp"]


def test_without_a_device_nothing_is_asked(user):
    assert passes(user, "") is False


def test_staff_without_a_device_stay_outside_where_it_is_required(settings, admin_user, user):
    settings.STAFF_TOTP_REQUIRED = True

    with pytest.raises(SecondFactorMissing):
        passes(admin_user, "123456")
    assert passes(user, "") is False


def test_a_device_counts_only_once_it_is_confirmed(user):
    begin_setup(user=user)

    assert passes(user, "") is False


def test_a_wrong_code_confirms_nothing(user):
    device = Device(begin_setup(user=user).secret)

    with pytest.raises(DomainError) as caught:
        confirm_setup(user=user, code=device.wrong(), now=database_now())

    assert list(caught.value.details) == ["code"]
    assert not Totp.objects.confirmed().exists()


def test_the_code_that_confirmed_is_used(user):
    device = Device(begin_setup(user=user).secret)
    code = device.code()
    confirm_setup(user=user, code=code, now=database_now())

    with pytest.raises(WrongCode):
        passes(user, code)


def test_nothing_begun_cannot_be_confirmed(user):
    with pytest.raises(DomainError) as caught:
        confirm_setup(user=user, code="123456", now=database_now())

    assert caught.value.code is Code.INVALID_TRANSITION


def test_a_new_device_takes_the_place_of_the_old_one(user):
    old, _ = set_up(user)
    new, _ = set_up(user)

    with pytest.raises(WrongCode):
        passes(user, old.code())
    assert passes(user, new.code())
    assert Totp.objects.count() == 1


def test_until_it_is_confirmed_the_old_one_stays_good(user):
    old, _ = set_up(user)
    begin_setup(user=user)

    assert passes(user, old.code())


def test_ten_recovery_codes_each_count_once(user):
    _, codes = set_up(user)

    assert (len(codes), len(set(codes))) == (10, 10)
    assert passes(user, codes[0])
    assert passes(user, codes[9].replace("-", "").upper())
    with pytest.raises(WrongCode):
        passes(user, codes[0])


def test_new_recovery_codes_make_the_old_ones_worthless(user):
    _, old = set_up(user)
    new = renew_recovery_codes(user=user)

    with pytest.raises(WrongCode):
        passes(user, old[0])
    assert passes(user, new[0])


def test_recovery_codes_need_a_second_factor(user):
    with pytest.raises(DomainError) as caught:
        renew_recovery_codes(user=user)

    assert caught.value.code is Code.INVALID_TRANSITION


def test_the_owner_is_told_how_many_codes_are_left(user, drained):
    _, codes = set_up(user)
    drained()
    passes(user, codes[0])

    [mail] = drained()
    assert (mail.to, mail.subject) == ([user.email], "A recovery code was used")
    assert "9 are left" in mail.body


@pytest.mark.parametrize("then", ["on", "off"])
def test_the_owner_is_told_of_a_change(user, admin_user, drained, then):
    set_up(user)
    if then == "off":
        drained()
        reset_second_factor(user=user, by=admin_user, reason="lost")

    [mail] = drained()
    assert mail.subject == "Your second factor was changed"
    assert ("asks for a one-time code" in mail.body, "password alone" in mail.body) == (then == "on", then == "off")


def test_nothing_that_opens_a_door_lies_readable_in_the_database(user):
    device, codes = set_up(user)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM accounts_totp t")
        [devices] = cursor.fetchone()
        cursor.execute("SELECT string_agg(c::text, ' ') FROM accounts_recoverycode c")
        [papers] = cursor.fetchone()

    assert device.secret not in devices
    assert not any(code.replace("-", "").upper() in papers.upper() for code in codes)


def test_a_secret_cannot_be_moved_to_another_column(user):
    """What is encrypted is bound to where it stands."""
    give_device(user)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET date_of_birth = (SELECT secret FROM accounts_totp)")

    with pytest.raises(Exception, match="cannot be decrypted"):
        User.objects.get(pk=user.pk)


def test_each_change_is_recorded_with_who_and_why(user, admin_user):
    set_up(user)
    reset_second_factor(user=user, by=admin_user, reason="lost the phone")

    changes = UserChange.objects.filter(field="second_factor").values_list(
        "subject_id", "from_value", "to_value", "actor_id", "reason"
    )
    assert list(changes) == [
        (user.pk, "off", "on", user.pk, ""),
        (user.pk, "on", "off", admin_user.pk, "lost the phone"),
    ]


@pytest.mark.parametrize(
    ("statement", "guard"),
    [
        ("UPDATE accounts_totp SET last_step = last_step - 1", "totp_code_counts_once"),
        ("UPDATE accounts_totp SET last_step = last_step", "totp_code_counts_once"),
        ("UPDATE accounts_totp SET last_step = NULL", "totp_confirmed_by_a_code"),
        ("UPDATE accounts_totp SET confirmed_at = NULL", "totp_confirmed_by_a_code"),
        ("UPDATE accounts_recoverycode SET used_at = NULL", "recovery_code_counts_once"),
        ("UPDATE accounts_recoverycode SET digest = 'plain'", "recovery_code_counts_once"),
    ],
)
def test_raw_sql_does_not_make_a_used_code_good_again(user, statement, guard):
    _, codes = set_up(user)
    for code in codes:
        passes(user, code)

    with pytest.raises(IntegrityError) as caught, transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)

    assert caught.value.__cause__.diag.constraint_name == guard


def test_nobody_has_two_devices(user):
    give_device(user)

    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        give_device(user)

    assert caught.value.__cause__.diag.constraint_name == "totp_one_confirmed"


def test_a_recovery_code_is_kept_as_a_hash_alone(user):
    with pytest.raises(IntegrityError) as caught, transaction.atomic():
        RecoveryCode.objects.create(user=user, digest="x" * 64)

    assert caught.value.__cause__.diag.constraint_name == "recovery_code_hashed"


def test_an_app_for_codes_reads_the_address(user, settings):
    settings.PUBLIC_URL = "https://pools.example.test"
    setup = begin_setup(user=user)

    read = pyotp.parse_uri(setup.uri)
    assert (read.secret, read.name, read.issuer) == (setup.secret, user.email, "Outlast (pools.example.test)")
    assert read.at(1_800_000_000) == Device(setup.secret).at(1_800_000_000 // SECONDS)
    assert setup.qr_svg.startswith("<svg")


def test_a_closed_account_keeps_nothing_of_it(user):
    set_up(user)
    close_account(user=user, now=database_now())

    assert (Totp.objects.count(), RecoveryCode.objects.count()) == (0, 0)


@pytest.mark.parametrize("who", ["oneself", "a player"])
def test_nobody_but_another_admin_resets_it(user, admin_user, who):
    give_device(admin_user)

    with pytest.raises(DomainError) as caught:
        reset_second_factor(user=admin_user, by=admin_user if who == "oneself" else user, reason="because")

    assert caught.value.code is Code.FORBIDDEN
    assert Totp.objects.exists()


def test_what_is_not_there_cannot_be_reset(user, admin_user):
    with pytest.raises(DomainError) as caught:
        reset_second_factor(user=user, by=admin_user, reason="because")

    assert caught.value.code is Code.INVALID_TRANSITION


def test_a_role_given_later_is_worth_nothing_to_a_session_without_a_code(settings, new_caller, db):
    """Signed in as a player, by password alone; an admin since."""
    settings.STAFF_TOTP_REQUIRED = True
    person = UserFactory(password=PASSWORD)
    pair = sign_in(email=person.email, password=PASSWORD).pair
    assert new_caller().bear(pair.access).get("/me")[0] == 200

    User.objects.filter(pk=person.pk).update(role="admin", is_staff=True)

    assert new_caller().bear(pair.access).get("/me")[0] == 401
    assert new_caller().post("/auth/token/refresh", {"refresh": pair.refresh})[0] == 401


def test_staff_with_a_code_go_on(settings, new_caller, db):
    settings.STAFF_TOTP_REQUIRED = True
    person = AdminFactory(password=PASSWORD)
    device = give_device(person)
    pair = sign_in(email=person.email, password=PASSWORD, otp=device.code()).pair

    assert new_caller().bear(pair.access).get("/me")[0] == 200
    assert new_caller().post("/auth/token/refresh", {"refresh": pair.refresh})[0] == 200


def test_a_set_up_that_nobody_confirms_is_forgotten_after_a_day(user, stranger):
    give_device(user)
    for whose in (user, stranger):
        begin_setup(user=whose)
    Totp.objects.pending().filter(user=stranger).update(created_at=database_now() - timedelta(hours=25))

    assert forget_old_setups(now=database_now()) == 1
    assert [totp.user_id for totp in Totp.objects.pending()] == [user.pk]
    assert [totp.user_id for totp in Totp.objects.confirmed()] == [user.pk]


def test_a_device_in_use_is_never_forgotten(user):
    give_device(user)
    Totp.objects.update(created_at="2020-01-01T00:00:00Z")

    assert forget_old_setups(now=database_now()) == 0
