"""The table of who may do what, `docs/roles.md`, read off the code: addresses, admin pages and their actions, reports.

`OUTLAST_WRITE_ROLES=1 manage.py test tests/security/test_roles.py` writes it. Roles are people in memory with the
permissions that the apps grant their group, asked about as a request would ask; a test proves that the database grants
the same.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from graphql import GraphQLObjectType, get_named_type

from accounts.groups import declared, granted
from accounts.models import User
from config.api.scopes import SCOPES
from config.graphql.scoping import scope_of
from config.urls import graphql_schema
from payments.exports.rights import EXPORT, PERSONAL
from payments.reports import REPORTS
from tests.security.matrix import pages
from tests.security.matrix.operations import operations
from tests.security.matrix.table import table

FILE = Path(__file__).parents[2] / "docs" / "roles.md"
HEAD = """# Who may do what

Read off the code: `OUTLAST_WRITE_ROLES=1 manage.py test tests/security/test_roles.py` writes this page, and compares.

Roles add up to nothing: a moderator runs pools and sees no money, finance sees the money and runs no pool, an admin may
do both, and nobody confirms what they proposed themselves. The permissions of each role are those that its Django group
has (`role_permissions` of each app); nobody but an admin may delete.

What an address answers to each of them, thing by thing, is in `tests/security/matrix/cells.txt`, and asked of each in
the tests: the owner, a player of the same pool and of another, staff, somebody who closed their account, somebody whose
address is not verified. Whatever is another player's is not there (404), and that is said in the same words.

## The API

*own*: of what is their own alone; anything else is not there. Lists hold what the caller may see one by one. *Key*: the
scope that an API key needs, with which it may do no more than its owner; without one, no key may. *Fresh*: after a
sign-in of the last ten minutes.

| Operation | Nobody | Player | Moderator | Finance | Admin | Key | Fresh |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
QUESTIONS = """
## Questions in GraphQL

Every field that a question can begin with, at `POST /graphql`: it tells whom the operation of REST tells beside it, of
what it tells them (`tests/payments/graphql/test_who.py` compares them row by row).

| Question | As | Nobody | Player | Moderator | Finance | Admin | Key |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""
TYPES = """
What it leads to has a scope of its own: a key is told of a type by whatever way only with the scope of that type.

| Type | Key |
| --- | --- |
"""
PAGES = """
## The back office: pages

What each of the staff may do with the rows of a page: look, add, change.

| Page | Moderator | Finance | Admin |
| --- | --- | --- | --- |
"""
ADDRESSES = """
Beside them there are these addresses, open to the staff who may look there; every address × look and empty form × who
asks is in `tests/security/matrix/pages.txt`.

| Address | Moderator | Finance | Admin |
| --- | --- | --- | --- |
"""
ACTIONS = """
## The back office: actions

| Page | Action | Permission | Moderator | Finance | Admin |
| --- | --- | --- | --- | --- | --- |
"""
REPORTS_HEAD = """
## Reports

Who may have it written and fetch it.

| Report | Names people | Moderator | Finance | Admin |
| --- | --- | --- | --- | --- |
"""
# By field: the operation of REST that is about the same.
QUESTIONS_AS = {
    "me": "GET /api/v1/me",
    "competitions": "GET /api/v1/competitions",
    "competition": "GET /api/v1/competitions/<code>",
    "pools": "GET /api/v1/pools",
    "pool": "GET /api/v1/pools/<pk>",
    "entries": "GET /api/v1/entries",
    "entry": "GET /api/v1/entries/<pk>",
    "requests": "GET /api/v1/requests",
    "request": "GET /api/v1/requests/<pk>",
    "payments": "GET /api/v1/payments",
    "payment": "GET /api/v1/payments/<pk>",
}
# What speaks of nobody but the caller.
OWN = re.compile(r"/api/v1/(me|api-keys|webhook-endpoints)\b")
# A list, its form to add, and what Django has for each row.
USUAL = re.compile(r"^/admin/\w+/\w+/(add/|<path:object_id>/.*)?$")
STAFF = ("moderator", "finance", "admin")


def grants(role: str) -> frozenset[str]:
    """The permissions of a role, as its group is given them."""
    return frozenset(name for config in apps.get_app_configs() for name in granted(config, role, set(declared(config))))


def somebody(role: str) -> Any:
    """A person of the role, in memory."""
    user = User(pk=0, role=role, is_staff=role != "player", is_superuser=False, email_verified_at=None)
    user._perm_cache = user._group_perm_cache = set(grants(role))
    user._user_perm_cache = set()
    return user


def _request(user: Any, method: str = "GET") -> Any:
    request = RequestFactory().generic(method, "/")
    request.user = user
    return request


def _may(view: Any, user: Any, verb: str) -> bool:
    view.request = _request(user, verb)
    return all(permission.has_permission(view.request, view) for permission in view.get_permissions())


def operation_rows() -> Iterator[tuple[str, ...]]:
    cells = table()
    people = [AnonymousUser(), *(somebody(role) for role in ("player", *STAFF))]
    for one in operations():
        may = [_may(one.view, user, one.verb) for user in people]
        found = cells[one.name]
        seen_by = [found[kind] for kind in ("anonymous", "other", *STAFF)]
        words = [_word(allowed, found["owner"], told) for allowed, told in zip(may, seen_by, strict=True)]
        if OWN.match(one.route.template):
            words = ["own" if word else "" for word in words]
        yield (f"`{one.name}`", *words, f"`{one.scope}`" if one.scope else "", "yes" if one.promised.fresh else "")


def question_rows() -> Iterator[tuple[str, ...]]:
    """A field without a line in `QUESTIONS_AS` fails, and so does one whose key asks for another scope than REST's."""
    rest = {name.strip("`"): words for name, *words in operation_rows()}
    schema = graphql_schema._schema
    for name, field in schema.query_type.fields.items():
        operation = QUESTIONS_AS[name]
        *who, scope, _fresh = rest[operation]
        assert scope == f"`{_scope(get_named_type(field.type))}`", name
        yield (f"`{name}`", f"`{operation}`", *who, scope)


def type_rows() -> Iterator[tuple[str, ...]]:
    for name, found in sorted(graphql_schema._schema.type_map.items()):
        if isinstance(found, GraphQLObjectType) and name != "Query" and not name.startswith("__"):
            yield f"`{name}`", f"`{_scope(found)}`" if _scope(found) in SCOPES else _scope(found)


def _scope(found: Any) -> str:
    return scope_of(found.extensions["strawberry-definition"].origin) or ""


def _word(allowed: bool, to_owner: int, to_them: int) -> str:
    """`own` where the owner gets further than they do; a service may ask for more than the view."""
    if not allowed or (to_them == 403 != to_owner and to_owner != 404):
        return ""
    return "own" if to_them == 404 != to_owner else "yes"


def page_rows() -> Iterator[tuple[str, ...]]:
    for site_admin in _admins():
        yield (_title(site_admin), *(_abilities(site_admin, somebody(role)) for role in STAFF))


def _abilities(site_admin: Any, user: Any) -> str:
    request = _request(user)
    may = {
        "look": site_admin.has_view_permission(request),
        "add": site_admin.has_add_permission(request),
        "change": site_admin.has_change_permission(request),
        "delete": site_admin.has_delete_permission(request),
    }
    return ", ".join(word for word, allowed in may.items() if allowed)


def address_rows() -> Iterator[tuple[str, ...]]:
    """Pages that are neither a list nor of one row, as they were visited."""
    cells = pages.table()
    for route in pages.routes():
        answers = [{cells[f"{verb} {route.template}"][role] for verb in ("GET", "POST")} for role in STAFF]
        words = ["" if 403 in told else "yes" for told in answers]
        # What needs more than its address to be asked is not told here, nor what is never there.
        if not USUAL.search(route.template) and any(words) and answers.count({404}) < len(STAFF):
            yield f"`{route.template}`", *words


def action_rows() -> Iterator[tuple[str, ...]]:
    for site_admin in _admins():
        for name, function, label in actions_of(site_admin):
            needed = permission_of(site_admin, function)
            allowed = ["yes" if all(somebody(role).has_perm(each) for each in needed) else "" for role in STAFF]
            yield _title(site_admin), f"{label} (`{name}`)", ", ".join(f"`{each}`" for each in needed), *allowed


def actions_of(site_admin: Any) -> Iterator[tuple[str, Any, str]]:
    """Those of chosen rows, and the buttons above the list, beside its rows, above a page and beside "Save"."""
    kinds = ("actions", "actions_list", "actions_row", "actions_detail", "actions_submit_line")
    for name in (name for kind in kinds for name in site_admin._extract_action_names(getattr(site_admin, kind))):
        function = getattr(site_admin, name)
        label = getattr(function, "short_description", name)
        yield name, function, str(label)


def permission_of(site_admin: Any, function: Any) -> tuple[str, ...]:
    """What an action asks for: our own mark, or Unfold's."""
    own = getattr(function, "required_permission", None)
    return (own,) if own else tuple(getattr(function, "allowed_permissions", ()) or ())


def _admins() -> list[Any]:
    return sorted(admin.site._registry.values(), key=_title)


def _title(site_admin: Any) -> str:
    return f"{site_admin.opts.app_label}: {site_admin.opts.verbose_name_plural}"


def report_rows() -> Iterator[tuple[str, ...]]:
    for report in REPORTS.values():
        needed = [EXPORT, *[PERSONAL] * report.is_personal, *[report.permission] * bool(report.permission)]
        allowed = ["yes" if somebody(role).has_perms(needed) else "" for role in STAFF]
        yield report.title, "yes" if report.is_personal else "", *allowed


def _lines(rows: Iterable[tuple[str, ...]]) -> str:
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def document() -> str:
    """The whole page."""
    return "".join(
        (HEAD, _lines(operation_rows()), QUESTIONS, _lines(question_rows()), TYPES, _lines(type_rows()),
         PAGES, _lines(page_rows()), ADDRESSES, _lines(address_rows()),
         ACTIONS, _lines(action_rows()), REPORTS_HEAD, _lines(report_rows()))
    )  # fmt: skip
