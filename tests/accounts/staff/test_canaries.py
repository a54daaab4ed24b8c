"""What opens a door lies nowhere: not in logs, mails, kept answers, the audit, sessions, nor in any other table."""

import logging

import pytest
from django.contrib.sessions.models import Session as Kept
from django.db import connection

from accounts.models import Totp
from tests.accounts.staff.conftest import text_of
from tests.factories.accounts import PASSWORD
from tests.support.devices import Device


def whole_database() -> str:
    """Every row of every table, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'")
        found = []
        for [table] in cursor.fetchall():
            cursor.execute(f"SELECT coalesce(string_agg(t::text, ' '), '') FROM {table} t")
            found.append(cursor.fetchone()[0])
    return " ".join(found)


@pytest.fixture
def everything_logged(caplog):
    with caplog.at_level(logging.DEBUG):
        yield caplog


def test_over_the_api(new_caller, sign_in, user, everything_logged, drained):
    pair = sign_in(user)
    me = new_caller().bear(pair["access"])
    setup = me.post("/me/totp", HTTP_IDEMPOTENCY_KEY="a key that would keep answers")[1]["data"]
    device = Device(setup["secret"])
    confirmed = me.post("/me/totp/confirm", {"code": device.code()}, HTTP_IDEMPOTENCY_KEY="another of that kind")
    papers = confirmed[1]["data"]["recovery_codes"]
    paper = papers[0]
    status, _ = new_caller().post("/auth/token", {"email": user.email, "password": PASSWORD, "otp": paper})
    mails = " ".join(message.message().as_string() for message in drained())

    assert status == 200
    for canary in (setup["secret"], *papers, paper.replace("-", "").upper(), PASSWORD):
        assert canary not in everything_logged.text, canary
        assert canary not in mails, canary
        assert canary not in whole_database(), canary


def test_in_the_back_office(desk, boss, required, everything_logged):
    page = desk.enter()
    secret = Totp.objects.get().secret
    shown = text_of(desk.show(page, Device(secret).code()))
    papers = [line.split("</li>")[0] for line in shown.split("<li>")[1:]]
    assert (desk.is_in, len(papers)) == (True, 10)
    sessions = " ".join(str(kept.get_decoded()) for kept in Kept.objects.all())

    for canary in (secret, *papers, PASSWORD):
        assert canary not in everything_logged.text, canary
        assert canary not in whole_database(), canary
        assert canary not in sessions, canary


def test_the_search_would_find_them(user):
    """The control: what is not encrypted is found."""
    user.display_name = "canary of nothing"
    user.save()

    assert "canary of nothing" in whole_database()
