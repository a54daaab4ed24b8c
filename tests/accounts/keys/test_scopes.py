"""Every operation of the API, tried with a key: each asks for its scope, and what is not for keys is closed to all."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.urls import get_resolver

from accounts.services.api_keys import OF_ROLES, scopes_for
from config.api.operations import operation_of
from config.api.scopes import SCOPES, scope_of
from config.errors import Code
from tests.accounts.staff.test_fresh_operations import routes
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory

NOBODYS = "00000000-0000-4000-8000-000000000000"
METHODS = ("get", "post", "put", "patch", "delete")
# What a service may never do for a person, whatever it was given: another way to sign in, and money.
NEVER = {
    "me/sessions", "me/totp", "me/email", "me/identity", "me/export", "me/documents", "api-keys", "auth", "payouts",
    "refunds", "rulings", "write-offs", "requests/1/payment", "requests/1/manual-payment",
}  # fmt: skip


def operations():
    """(method, address, view, scope) of all that take credentials."""
    for said, callback in routes(get_resolver("config.urls").url_patterns):
        address = said.replace("\\.", ".").replace("me/sessions/1", f"me/sessions/{NOBODYS}")
        cls = getattr(callback, "cls", None)
        if cls is None or not hasattr(cls, "family") or not cls.authentication_classes:
            continue
        actions = getattr(callback, "actions", None) or {}
        for method in METHODS:
            if not (method in actions if actions else hasattr(cls, method)):
                continue
            view = cls(**callback.initkwargs)
            view.action = actions.get(method)
            yield method, address, view, scope_of(view, method)


ALL = list(operations())
ASKED = sorted({(method, address, scope) for method, address, _, scope in ALL if scope})
CLOSED = sorted({(method, address) for method, address, _, scope in ALL if not scope})


def test_there_are_operations_of_both_kinds():
    assert (len(ASKED) > 60, len(CLOSED) > 40) == (True, True)


def test_every_scope_is_asked_for_by_something_and_is_in_the_list():
    assert {scope for _, _, scope in ASKED} == set(SCOPES)


def test_the_roles_of_scopes_are_of_scopes_that_there_are():
    assert set(OF_ROLES) <= set(SCOPES)


def test_money_and_fresh_sign_ins_are_closed_to_keys():
    for method, address, view, scope in ALL:
        declared = operation_of(view, method)
        if declared.fresh or declared.moves_money:
            assert scope is None, (method, address)


@pytest.mark.parametrize("beginning", sorted(NEVER))
def test_what_services_never_do_stays_closed(beginning):
    changed = [one for one in ASKED if one[0] != "get" and one[1].startswith(beginning)]

    assert changed == []


def test_nothing_of_the_own_account_but_who_it_is():
    assert [one for one in ASKED if one[1].startswith(("me", "auth", "api-keys", "documents"))] == [
        ("get", "me", "account:read")
    ]


def called(caller, method, address):
    return caller.send(method, f"/{address}", None if method == "get" else {})


def test_a_key_without_its_scope_is_refused_everywhere(new_key, with_key):
    """Each operation, with a key that has every scope but the one that it asks for."""
    boss = AdminFactory()
    callers = {scope: with_key(new_key(boss, *(set(SCOPES) - {scope})).text) for scope in SCOPES}

    for method, address, scope in ASKED:
        status, body = called(callers[scope], method, address)
        assert (status, body["error"]["code"]) == (403, Code.SCOPE_MISSING), (method, address)
        assert body["error"]["details"] == {"scope": scope}, (method, address)


def test_a_key_with_every_scope_is_refused_what_is_not_for_keys(new_key, with_key):
    caller = with_key(new_key(AdminFactory(), *SCOPES).text)

    for method, address in CLOSED:
        status, body = called(caller, method, address)
        assert (status, body["error"]["code"]) == (403, Code.FORBIDDEN), (method, address)


@pytest.mark.slow
def test_a_key_with_the_scope_gets_as_far_as_its_owner(new_key, with_key):
    """No door that the list calls open is shut."""
    boss = AdminFactory()
    callers = {scope: with_key(new_key(boss, scope).text) for scope in SCOPES}

    for method, address, scope in ASKED:
        status, body = called(callers[scope], method, address)
        assert status != 401, (method, address)
        assert (body or {}).get("error", {}).get("code") != Code.SCOPE_MISSING, (method, address)


@pytest.mark.slow
@pytest.mark.parametrize("factory", [UserFactory, ModeratorFactory, FinanceFactory])
def test_a_scope_opens_nothing_beyond_the_role(factory, new_key, with_key, api):
    """With every scope of their role: no call that they may not make when they sign in."""
    somebody = factory()
    caller, person = with_key(new_key(somebody, *scopes_for(somebody)).text), api(somebody)

    for method, address, _ in ASKED:
        answer = getattr(person, method)(f"/api/v1/{address}", {}, format="json")
        if answer.status_code == 403:
            assert called(caller, method, address)[0] == 403, (method, address)


def test_the_schema_says_which_scope_each_operation_asks_for(api, db):
    schema = api().get("/api/v1/schema/?format=json").json()

    assert schema["components"]["securitySchemes"]["apiKey"]["in"] == "header"
    said = {
        scope
        for path in schema["paths"].values()
        for operation in path.values()
        for way in operation.get("security", [])
        for scope in way.get("apiKey", [])
    }
    assert said == set(SCOPES)
    assert {"apiKey": ["entries:read"]} in schema["paths"]["/api/v1/entries"]["get"]["security"]
    assert all("apiKey" not in way for way in schema["paths"]["/api/v1/api-keys"]["post"]["security"])


def test_the_page_tells_of_every_scope():
    page = Path(settings.BASE_DIR / "docs" / "api-keys.md").read_text()

    rows = dict(re.findall(r"^\| `([a-z]+:[a-z]+)` \| (.+?) \|", page, re.MULTILINE))
    assert rows == dict(SCOPES)
