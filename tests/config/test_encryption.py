"""Columns that only the application can read: what lies in the table, what can be asked of it, which keys open it."""

import secrets
from datetime import date

import pytest
from django.core.exceptions import FieldError
from django.core.management import call_command
from django.core.management.base import CommandError
from django.db import IntegrityError, connection, transaction

from accounts.models import PersonalDetails, User
from config import tasks
from config.encryption import EncryptedTextField, Undecryptable, current_key_id, decrypt, encrypt, encrypted_fields
from config.rotation import columns, rotate, waiting
from tests.factories.accounts import UserFactory

BORN = date(1984, 2, 29)
PLACE = "accounts_personaldetails.legal_name"


def stored(table: str, column: str) -> list[str | None]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} ORDER BY {column} NULLS LAST")
        return [text for (text,) in cursor.fetchall()]


def details_of(user, **given) -> PersonalDetails:
    known = {"legal_name": "Ada Canary Byron", "tax_country": "GB", "tax_number": "QQ 12 34 56 C"}
    return PersonalDetails.objects.create(user=user, **{**known, **given})


@pytest.fixture
def another_key(settings):
    """A new key comes first, and the old one stays."""

    def add() -> str:
        key = secrets.token_urlsafe(32)
        settings.PERSONAL_DATA_KEYS = [key, *settings.PERSONAL_DATA_KEYS]
        return key

    return add


def test_values_come_back_as_they_were(db):
    user = UserFactory(date_of_birth=BORN)
    details_of(user, legal_name="Ådá ‘Ωmega’ 😀")

    assert User.objects.get(pk=user.pk).date_of_birth == BORN
    assert list(User.objects.values_list("date_of_birth", flat=True)) == [BORN]
    assert PersonalDetails.objects.get().legal_name == "Ådá ‘Ωmega’ 😀"


def test_nothing_readable_lies_in_the_table(db):
    details_of(UserFactory(date_of_birth=BORN))

    lying = [
        *stored("accounts_user", "date_of_birth"),
        *stored("accounts_personaldetails", "legal_name || tax_country || tax_number"),
    ]
    assert all(text.startswith(f"{current_key_id()}.gAAAAA") for text in lying)
    assert not any(canary in text for text in lying for canary in ("1984", "Canary", "12 34", "GB."))


def test_nothing_stays_nothing_and_empty_text_is_hidden(db):
    details_of(UserFactory(date_of_birth=None), tax_number="")

    assert stored("accounts_user", "date_of_birth") == [None]
    assert stored("accounts_personaldetails", "tax_number")[0].startswith(current_key_id())
    assert PersonalDetails.objects.get().tax_number == ""


def test_the_same_value_is_never_stored_twice_alike(db):
    UserFactory.create_batch(3, date_of_birth=BORN)

    assert len(set(stored("accounts_user", "date_of_birth"))) == 3


def test_a_value_moved_to_another_column_cannot_be_read(db):
    details_of(UserFactory())
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_personaldetails SET legal_name = tax_number")

    with pytest.raises(Undecryptable) as caught:
        PersonalDetails.objects.get()
    assert "QQ" not in str(caught.value)
    assert (caught.value.__cause__, caught.value.__context__) == (None, None)


@pytest.mark.parametrize("plain", ["1984-02-29", "", "0123abcd.1984-02-29", "gAAAAABrAldp"])
def test_the_column_takes_no_plain_text(db, plain):
    user = UserFactory()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET date_of_birth = %s WHERE id = %s", [plain, user.pk])


def test_all_that_can_be_asked_is_whether_there_is_one(db):
    known, unknown = UserFactory(), UserFactory(date_of_birth=None)

    assert list(User.objects.filter(date_of_birth__isnull=True)) == [unknown]
    assert list(User.objects.filter(date_of_birth__isnull=False)) == [known]
    for asked in ({"date_of_birth": BORN}, {"date_of_birth__year": 1984}, {"date_of_birth__gt": BORN}):
        with pytest.raises(FieldError):
            User.objects.filter(**asked).exists()


def test_sets_are_written_encrypted_too(db):
    people = UserFactory.create_batch(3)
    for person in people:
        person.date_of_birth = BORN
    User.objects.bulk_update(people, ["date_of_birth"])
    assert User.objects.update(date_of_birth=BORN) == 3

    assert set(User.objects.values_list("date_of_birth", flat=True)) == {BORN}


def test_a_forged_value_is_refused(db):
    text = encrypt("Ada", place=PLACE)
    broken = text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB")

    for bad in (broken, text.replace(".", "", 1), text[9:], "", "x", f"00000000.{text[9:]}"):
        with pytest.raises(Undecryptable):
            decrypt(bad, place=PLACE)


def test_an_encrypted_field_is_no_key():
    field = EncryptedTextField(unique=True)
    field.set_attributes_from_name("code")
    field.model = User

    assert [fault.msg for fault in field.check() if "encrypted" in fault.msg]


def test_an_old_key_still_opens_and_a_lost_one_does_not(db, settings, another_key):
    user = UserFactory(date_of_birth=BORN)
    new = another_key()

    assert User.objects.get(pk=user.pk).date_of_birth == BORN

    settings.PERSONAL_DATA_KEYS = [new]
    with pytest.raises(Undecryptable):
        User.objects.get(pk=user.pk)


def test_rotation_brings_every_column_to_the_first_key(db, settings, another_key):
    details_of(UserFactory(date_of_birth=BORN))
    UserFactory(date_of_birth=None)
    new = another_key()
    assert waiting() == {
        "accounts_user.date_of_birth": 1,
        "accounts_personaldetails.legal_name": 1,
        "accounts_personaldetails.tax_country": 1,
        "accounts_personaldetails.tax_number": 1,
    }

    assert rotate().total() == 4

    settings.PERSONAL_DATA_KEYS = [new]
    assert (waiting(), rotate().total()) == ({}, 0)
    assert User.objects.get(personal_details__isnull=False).date_of_birth == BORN
    assert PersonalDetails.objects.get().tax_number == "QQ 12 34 56 C"


def test_every_encrypted_field_of_every_table_is_rotated():
    known = {(column.table, column.name) for column in columns()}

    assert {("accounts_user", "date_of_birth"), ("accounts_totp", "secret")} <= known
    assert len(known) == sum(len(encrypted_fields(model)) for model in connection_models())


def connection_models():
    from django.apps import apps

    return [model for model in apps.get_models() if not model._meta.proxy]


def test_rotation_goes_on_where_it_stopped(db, another_key):
    UserFactory.create_batch(5)
    another_key()

    assert [rotate(limit=2).total() for _ in range(4)] == [2, 2, 1, 0]


def test_what_no_key_opens_is_told_left_and_in_nobodys_way(db, settings, another_key, caplog):
    lost, *others = UserFactory.create_batch(3)
    before = settings.PERSONAL_DATA_KEYS
    settings.PERSONAL_DATA_KEYS = [secrets.token_urlsafe(32)]
    User.objects.filter(pk=lost.pk).update(date_of_birth=BORN)
    settings.PERSONAL_DATA_KEYS = before
    another_key()

    assert rotate() == {"accounts_user.date_of_birth": 2, "unreadable": 1}

    assert f"accounts_user.date_of_birth of row {lost.pk}" in caplog.text
    assert {person.date_of_birth for person in User.objects.exclude(pk=lost.pk)} == {others[0].date_of_birth}
    assert waiting() == {"accounts_user.date_of_birth": 1}


def test_a_row_that_somebody_holds_waits_for_the_next_run(transactional_db, another_key):
    from tests.support.threads import run_together

    held, free = UserFactory.create_batch(2)
    another_key()
    with transaction.atomic():
        User.objects.locked().get(pk=held.pk)
        [outcome] = run_together([rotate])

    assert outcome.value == {"accounts_user.date_of_birth": 1}
    assert rotate() == {"accounts_user.date_of_birth": 1}
    assert free.date_of_birth == User.objects.get(pk=held.pk).date_of_birth


def test_the_command_says_what_is_left(db, another_key, capsys):
    UserFactory.create_batch(3)
    another_key()

    with pytest.raises(CommandError, match=r"Under other keys: 3 of accounts_user\.date_of_birth"):
        call_command("rotate_personal_data", check=True)
    with pytest.raises(CommandError, match=r"Under other keys: 1 of accounts_user\.date_of_birth"):
        call_command("rotate_personal_data", limit=2)
    call_command("rotate_personal_data")

    assert capsys.readouterr().out.splitlines()[-1] == "Everything is under the first key."


def test_the_beat_rotates_too(db, another_key):
    UserFactory.create_batch(2)
    another_key()

    assert (tasks.rotate_personal_data(), tasks.rotate_personal_data()) == (2, 0)
