"""Case 16: before its lock, nobody else learns the team, whatever they ask.

A door is closed when its answer is the same whichever team was picked: not only the name, also no id, order, count or
length tells them apart. The ways that lead to picks in GraphQL are tried in `tests/entries/graphql/test_secrecy.py`.
"""

import logging
import re

import pytest
from django.contrib import admin
from django.test import Client

from accounts.models import User
from entries.models import Pick
from payments.reports import REPORTS
from tests.factories.accounts import AdminFactory, ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory
from tests.support.contract import schema_of
from tests.support.reports import rows
from tests.support.ruling import propose

FIRST, SECOND = "ANT", "BAT"
MOMENT = re.compile(rb'"meta": ?\{.*$')
# What differs from one page to the next by design: the token of a form, and the one that allows its scripts.
TOKEN = re.compile(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"|"csrfToken": *"[^"]*"')


@pytest.fixture
def picked(story):
    """One entry, which has picked, and a ruling about it that was proposed."""
    (entry,) = story.entries(1)
    story.pick(entry, 1, FIRST)
    return entry


@pytest.fixture
def other_player(story) -> User:
    """Of the same pool."""
    return EntryFactory(in_pool=story.pool).user


OF_MONEY = (
    "payments", "refunds", "receipts", "disputes", "payouts", "manual-records", "cancellations", "bank-statements",
    "bank-lines", "provider-payouts", "discrepancies", "write-offs", "foreign-objects", "exports", "export-schedules",
    "periods", "account-mappings", "journal-batches",
)  # fmt: skip


# All of it is the caller's own, and each time tells that it was fetched the time before.
OWN_DATA = "/api/v1/me/export"


def doors(entry) -> list[str]:
    """Every address of the API that can be read, about this entry and what belongs to it."""
    ruling = propose("disqualify", entry=entry)
    ids = {
        "competitions": {"{code}": entry.pool.competition.code},
        "entries": {"{id}": entry.pk, "{entry_id}": entry.pk, "{number}": 1},
        "pools": {"{id}": entry.pool_id, "{pool_id}": entry.pool_id, "{number}": 1},
        "requests": {"{id}": entry.request_id},
        "rulings": {"{id}": ruling.pk},
        "api-keys": {"{id}": 1},
        "auth": {"{provider}": "nobody"},
        "documents": {"{id}": 1},
        "webhook-endpoints": {"{id}": 1, "{endpoint}": 1},
        "games": {"{id}": entry.pool.competition.games.first().pk},
        "me": {"{id}": 1},
        # Doors of money, where there is none: their answers are the same whatever was picked.
        **{kind: {"{id}": 1} for kind in OF_MONEY},
        "ledger": {"{id}": 1, "{account_id}": 1},
    }
    found = []
    for path, operations in schema_of("config.urls")["paths"].items():
        if "get" in operations and path != OWN_DATA:
            for name, value in ids.get(path.split("/")[3], {}).items():
                path = path.replace(name, str(value))
            assert "{" not in path, f"{path}: say here what to ask it for"
            found.append(path)
    return found


def answers(client: Client, paths) -> dict[str, tuple[int, bytes]]:
    """What each door says now, but for the moment it says it at."""
    said = {}
    for path in paths:
        answer = client.get(path)
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        said[path] = answer.status_code, MOMENT.sub(b"", body)
    return said


@pytest.mark.parametrize("who", [None, "another player", ModeratorFactory, AdminFactory])
def test_case_16_no_door_of_the_api_tells_teams_apart(story, picked, other_player, who):
    """Before the lock no other player, staff list, export shows the team."""
    person = who() if callable(who) else who and other_player
    paths = doors(picked)
    before = answers(story.api(person), paths)

    assert story.pick(picked, 1, SECOND)[0] == 200

    assert answers(story.api(person), paths) == before


def test_case_16_the_same_doors_show_it_to_the_owner_and_after_the_lock_to_everybody(story, picked, other_player):
    """Before the lock"""
    paths = doors(picked)
    before, owners = answers(story.api(other_player), paths), answers(story.api(picked.user), paths)
    story.pick(picked, 1, SECOND)
    assert answers(story.api(picked.user), paths) != owners

    story.kicks_off(1)

    told = {path for path, answer in answers(story.api(other_player), paths).items() if answer != before[path]}
    pool = f"/api/v1/pools/{story.pool.pk}"
    assert told >= {f"{pool}/standings", f"{pool}/rounds/1/distribution", f"{pool}/rounds/1/report.csv"}


def pages(browser: Client) -> list[str]:
    """Every list of the back office, and the first row of each."""
    found = []
    for model, shown in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        found.append(address)
        if (row := shown.get_queryset(browser.get("/admin/").wsgi_request).first()) is not None:
            found += [f"{address}{row.pk}/change/", f"{address}{row.pk}/history/"]
    return found


def test_case_16_no_page_of_the_back_office_tells_teams_apart(story, picked, admin_user):
    """Before the lock no staff list shows the team, not even to those who may open every page."""
    browser = Client()
    browser.force_login(admin_user)
    addresses = pages(browser)
    before = {address: page(browser, address) for address in addresses}

    assert story.pick(picked, 1, SECOND)[0] == 200

    assert {address: page(browser, address) for address in addresses} == before
    assert sum(status == 200 for status, _ in before.values()) > 15


def page(browser: Client, address: str) -> tuple[int, str]:
    answer = browser.get(address)
    return answer.status_code, TOKEN.sub("", answer.content.decode())


def test_case_16_no_log_says_the_team(story, picked, caplog):
    """Before the lock no log shows the team."""
    caplog.set_level(logging.DEBUG)
    caplog.handler.setLevel(logging.DEBUG)

    for code in (SECOND, FIRST):
        assert story.pick(picked, 1, code)[0] == 200
    assert story.pick(picked, 2, FIRST)[0] == 422
    story.settled()

    # What PostgreSQL is asked is logged by Django in tests alone.
    said = " ".join(str(vars(record)) for record in caplog.records if record.name != "django.db.backends")
    assert caplog.records
    assert not re.search(rf"\b({FIRST}|{SECOND})\b", said)
    assert not re.search(rf"\b({FIRST}|{SECOND})\b", f"{Pick.objects.get()} {Pick.objects.get()!r}")


@pytest.mark.parametrize(
    "kind", [kind for kind, report in REPORTS.items() if not any(option.is_required for option in report.options)]
)
def test_case_16_no_export_tells_teams_apart(story, picked, kind):
    """Before the lock no export shows the team."""
    before = rows(kind)

    assert story.pick(picked, 1, SECOND)[0] == 200

    assert rows(kind) == before


def test_case_16_whoever_asks_for_a_pick_that_is_not_theirs_is_told_nothing(story, picked):
    """Before the lock no other player shows the team."""
    address = f"/api/v1/entries/{picked.pk}/picks/1"
    for caller in (UserFactory(), ModeratorFactory(), AdminFactory()):
        refusals = [story.api(caller).put(address, {"team": code}).json()["error"] for code in (FIRST, SECOND, "CAT")]
        refusals.append(story.api(caller).delete(address).json()["error"])
        assert refusals == [refusals[0]] * 4
