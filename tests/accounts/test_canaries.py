"""Personal data through every flow of an account, a crash included: none of it in logs, Sentry, mails, other tables."""

import json
import logging

import pytest
import sentry_sdk
from django.apps import apps
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from accounts.models import PersonalDetails, User
from config.connections import file_store
from config.logging import RequestContext
from tests.accounts.conftest import REGISTRATION, token_in
from tests.config.test_reporting import sentry  # noqa: F401  # a fixture
from tests.support.papers import picture

BORN, NAME, NUMBER, MAIL = "1979-03-17", "Quillcanary Vexworth", "ZX-7788-4411-Q", "quillcanary@example.test"
CANARIES = (BORN, "Quillcanary", "Vexworth", NUMBER, "7788-4411", MAIL)
IDENTITY = {"legal_name": NAME, "tax_country": "GB", "tax_number": NUMBER}


@pytest.fixture
def lines():
    """Every line of the log, as it would be written."""
    found = []

    class Keeper(logging.Handler):
        def emit(self, record):
            RequestContext().filter(record)
            found.append(self.format(record))

    keeper = Keeper()
    keeper.setFormatter(logging.Formatter("%(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(keeper)
    root.setLevel(logging.DEBUG)
    yield found
    root.removeHandler(keeper)
    root.setLevel(level)


def seen_in(text: str) -> list[str]:
    """Also in columns of bytes, which PostgreSQL writes as digits."""
    text = text.lower()
    return [canary for canary in CANARIES if canary.lower() in text or canary.encode().hex() in text]


def registered(caller, drained):
    body = {**REGISTRATION, "email": MAIL, "date_of_birth": BORN}
    assert caller.post("/auth/register", body)[0] == 201
    [mail] = drained()
    assert caller.post("/auth/verify-email", {"token": token_in(mail)})[0] == 200
    return User.objects.get(email=MAIL)


@pytest.mark.django_db(transaction=True)
def test_nothing_personal_leaves_by_any_back_door(new_caller, drained, lines, sentry):  # noqa: F811
    user = registered(new_caller(), drained)
    caller = _inside(new_caller, user)

    assert caller.send("put", "/me/identity", IDENTITY)[0] == 200
    assert caller.post("/me/email", {"email": "x" + MAIL, "password": REGISTRATION["password"]})[0] == 204
    assert caller.post("/me/email", {"email": MAIL, "password": "wrong"})[0] == 400
    assert b"Quillcanary" in b"".join(caller.http.get("/api/v1/me/export").streaming_content)
    with connection.cursor() as cursor:
        # PostgreSQL quotes the failing row in the message of the refusal.
        cursor.execute("ALTER TABLE accounts_personaldetails ADD CONSTRAINT broken CHECK (false) NOT VALID")
        try:
            assert caller.send("put", "/me/identity", {**IDENTITY, "legal_name": NAME + " II"})[0] == 500
            user.refresh_from_db()
            user.country = "x"
            with pytest.raises(Exception, match="user_country_code"):
                user.save()
        finally:
            cursor.execute("ALTER TABLE accounts_personaldetails DROP CONSTRAINT broken")
    sentry_sdk.flush()

    assert len(lines) > 3
    assert seen_in("\n".join(lines)) == []
    assert len(sentry.sent) == 1
    assert seen_in("\n".join(sentry.sent)) == []
    subjects = json.dumps([[mail.subject, mail.body] for mail in drained()])
    assert [canary for canary in seen_in(subjects) if canary not in (MAIL,)] == []
    assert PersonalDetails.objects.get().legal_name == NAME


@pytest.mark.django_db(transaction=True)
def test_no_other_table_keeps_it(new_caller, drained, settings, tmp_path):
    settings.STORAGES = {**settings.STORAGES, "private": file_store("file:", home=tmp_path, folder="private")}
    user = registered(new_caller(), drained)
    caller = _inside(new_caller, user)
    caller.send("put", "/me/identity", IDENTITY, HTTP_IDEMPOTENCY_KEY="k" * 20)
    paper = SimpleUploadedFile(f"{NAME}.png", picture("PNG"), "image/png")
    form = {"kind": "identity", "file": paper}
    answer = caller.http.post("/api/v1/me/documents", form, format="multipart", HTTP_IDEMPOTENCY_KEY="m" * 20)
    assert answer.status_code == 201
    caller.post(
        "/me/email",
        {"email": "x" + MAIL, "password": REGISTRATION["password"]},
        HTTP_IDEMPOTENCY_KEY="l" * 20,
    )
    drained()

    # Their own rows hold the address in plain; the raw rows of personal data hold nothing readable at all.
    plain = {"accounts_user": {MAIL}, "accounts_emailchange": {MAIL}}
    found = {}
    with connection.cursor() as cursor:
        for model in apps.get_models():
            table = model._meta.db_table
            if model._meta.proxy or not model._meta.managed:
                continue
            cursor.execute(f"SELECT coalesce(string_agg(t::text, chr(10)), '') FROM \"{table}\" t")
            canaries = set(seen_in(cursor.fetchone()[0])) - {"Quillcanary"}
            if canaries - plain.get(table, set()):
                found[table] = canaries
    assert found == {}


def _inside(new_caller, user):
    status, body = new_caller().post("/auth/token", {"email": user.email, "password": REGISTRATION["password"]})
    assert status == 200
    return new_caller().bear(body["data"]["access"])
