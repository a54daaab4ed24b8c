"""Rows 15 and 30: what a caller may say about a list, through every list there is."""

import re

import pytest

from accounts.services.webhooks.endpoints import make_endpoint
from config.api.docs import whole_schema
from config.api.pagination import MAX_LIMIT
from payments.ledger.models import Account
from tests.factories.accounts import AdminFactory
from tests.factories.pools import PoolFactory, league
from tests.support.ledger import posted
from tests.support.playing import enter, play

# Nothing of these is a page, or a number of rows.
JUNK = ("0", "-1", "a", "1.5", "1e3", "9" * 400, str(10**9), "1,2", "null", "[]", "0x10")
# One, as some spell it: a page of one, or refused.
ONE = (" 1", "١")
# Names that would be columns, operators or arguments, if a name of the caller's ever became one.
STRANGE = (
    "ordering", "order_by", "columns", "include", "expand", "format", "user__password", "user__email__startswith",
    "user.email", "id__in", "_connector", "_negated", "pk", "0", "%00", "status__ne", "a" * 2000, "limit ", "LIMIT",
    "'; DROP TABLE entries_entry; --", "$where", "status[]", "é",
)  # fmt: skip


def lists() -> list[str]:
    """The paths of operations that take `limit`."""
    found = whole_schema()["paths"]
    return sorted(
        path.removeprefix("/api/v1")
        for path, operations in found.items()
        if any(one.get("name") == "limit" for one in operations.get("get", {}).get("parameters", []))
    )


@pytest.fixture
def ask(api, db):
    """Ask a list, as somebody who may see it, for things that are there."""
    pool = PoolFactory(competition=league(rounds=2))
    entry = enter(pool, "ANT")
    enter(pool, "BAT")
    play(pool, 1)
    posted()
    endpoint = make_endpoint(user=entry.user, url="https://hooks.example.org/", events=["pool.ended"])
    values = {
        "endpoint": endpoint.pk,
        "code": pool.competition.code, "pool_id": pool.pk, "entry_id": entry.pk, "number": 1,
        ("ledger", "id"): Account.objects.latest("id").pk, ("pools", "id"): pool.pk,
    }  # fmt: skip
    clients = {"admin": api(AdminFactory()), "owner": api(entry.user)}

    def get(path, **query):
        first = path.split("/")[1]
        whole = re.sub(r"\{(\w+)\}", lambda found: str(values.get((first, found[1]), values.get(found[1]))), path)
        who = "owner" if first in ("entries", "webhook-endpoints") and "{" in path else "admin"
        return clients[who].get(f"/api/v1{whole}", query)

    return get


def refusal(answer) -> tuple[int, str, list[str]]:
    said = answer.json()["error"]
    return answer.status_code, said["code"], sorted(said["details"])


def pagination_of(answer) -> dict:
    """Of a list; a statement of account is one thing, whose lines go on by a cursor."""
    return answer.json()["meta"].get("pagination") or {}


def test_there_are_lists():
    assert len(lists()) > 30


def own_parameters(path):
    """Those of this list, without the headers that all share."""
    operation = whole_schema()["paths"][f"/api/v1{path}"]["get"]
    return [one["name"] for one in operation["parameters"] if "name" in one]


@pytest.mark.parametrize("path", lists())
def test_row_15_a_page_is_never_longer_than_the_limit_and_junk_is_refused(ask, path):
    parameters = own_parameters(path)
    for name in {"limit", "page"} & set(parameters):
        assert ask(path, **{name: "1"}).status_code == 200
        for junk in JUNK:
            assert refusal(ask(path, **{name: junk})) == (400, "VALIDATION_ERROR", [name]), junk
        for one in ONE:
            answer = ask(path, **{name: one})
            assert answer.status_code == 400 or (pagination_of(answer).get(name, 1) == 1), one

    assert refusal(ask(path, limit=str(MAX_LIMIT + 1))) == (400, "VALIDATION_ERROR", ["limit"])
    answer = ask(path, limit=str(MAX_LIMIT))
    assert answer.status_code == 200
    assert pagination_of(answer).get("limit", MAX_LIMIT) == MAX_LIMIT


@pytest.mark.parametrize("path", lists())
def test_row_30_a_name_of_the_callers_never_becomes_a_name_of_ours(ask, path):
    for name in STRANGE:
        answer = ask(path, **{name: "id"})
        assert answer.status_code == 400, name
        assert answer.json()["error"]["code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("path", lists())
def test_row_30_a_value_is_a_value(ask, path):
    """Whatever stands in a filter is looked for, or refused; it is never run."""
    parameters = own_parameters(path)
    for name in parameters:
        for value in ("' OR 1=1 --", "1) OR (1=1", "%", "_", "\\", "\x00", "{{7*7}}", "${7*7}", "9" * 30, "%s"):
            answer = ask(path, **{name: value})
            assert answer.status_code in (200, 400), (name, value)
            if answer.status_code == 200:
                assert name not in ("page", "limit", "cursor")
