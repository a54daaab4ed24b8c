"""Every list of the back office reads its rows, and finds them, by an index, whatever becomes of the tables.

Tests have a handful of rows, which PostgreSQL reads as they come; so it is asked how it would without that, and without
sorting. What it cannot do then, it could not do with a million rows.
"""

import json

import pytest
from django.contrib import admin
from django.db import connection
from django.db.models.constants import LOOKUP_SEP

from config.lists import Bounded, HouseChangeList, _annotations, _by_owner, _condition, _is_many, _owner, _parts
from tests.config.test_lists import NEVER_LONG

pytestmark = [pytest.mark.slow, pytest.mark.django_db]

# What staff write by hand, what comes once a day or once an hour, and what is forgotten before it is many.
SMALL = NEVER_LONG | {
    "accounts.AgeLimitChange", "accounts.WebhookEndpoint", "entries.Ruling", "payments.Account",
    "payments.BankStatement", "payments.Dispute", "payments.Export", "payments.ExportSchedule",
    "payments.ForeignObject", "payments.JournalBatch", "payments.PeriodClose", "payments.ProviderPayout",
    "payments.WebhookRefusal", "payments.WriteOff", "pools.FeedPull", "pools.Game", "pools.LetStand", "pools.Pool",
    "pools.Team",
}  # fmt: skip
# Looks at what was typed before it searches: `accounts.admin.audit`.
BY_ITSELF = {"config.AuditEntry"}
WORDS = ("abc", "17", "3f2504e0-4f89-11d3-9a0c-0305e82c3301")


@pytest.fixture
def planner(db):
    """How PostgreSQL would do it if reading a whole table, and sorting one, were out of the question."""
    with connection.cursor() as cursor:
        for name in ("seqscan", "sort", "incremental_sort"):
            cursor.execute(f"SET LOCAL enable_{name} = off")


@pytest.fixture
def request_of_admin(rf, admin_user):
    request = rf.get("/admin/")
    request.user = admin_user
    return request


def nodes(rows):
    """Every step of the plan, flat."""
    sql, params = rows.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}", params)
        (found,) = cursor.fetchone()
    waiting = [(json.loads(found) if isinstance(found, str) else found)[0]["Plan"]]
    while waiting:
        node = waiting.pop()
        waiting += node.get("Plans", [])
        yield node


def faults(rows, *, ordered=False):
    """What in the plan takes longer the more rows there are."""
    steps = list(nodes(rows))
    if ordered:
        return [step["Node Type"] for step in steps if step["Node Type"] in ("Seq Scan", "Sort", "Incremental Sort")]
    reads = [step for step in steps if step["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan")]
    reads += [step for step in steps if step["Node Type"] == "Bitmap Index Scan"]
    return [f"{step['Node Type']} of {step.get('Relation Name')}" for step in reads if "Index Cond" not in step]


def long_lists():
    return {model: page for model, page in admin.site._registry.items() if model._meta.label not in SMALL}


def test_every_list_is_counted_and_gone_through_as_long_ones_are(request_of_admin):
    others = {
        page.opts.label
        for page in admin.site._registry.values()
        if page.paginator is not Bounded
        or page.get_changelist(request_of_admin) is not HouseChangeList
        or page.show_full_result_count
    }
    assert others == set()


def test_every_list_comes_in_its_order_by_an_index(planner, request_of_admin):
    found = {}
    for model, page in long_lists().items():
        cl = page.get_changelist_instance(request_of_admin)
        rows = page.get_queryset(request_of_admin)
        order = cl.get_ordering(request_of_admin, rows.order_by())
        for part in _parts(model._meta, order, _annotations(page)):
            wanted = rows.filter(part.where).order_by(*part.order).values_list("pk", flat=True)[:51]
            if said := faults(wanted, ordered=True):
                found[model._meta.label] = (tuple(part.order), said)
    assert not found, "\n".join(f"{name}: {said}" for name, said in sorted(found.items()))


def test_every_search_finds_by_an_index(planner, request_of_admin):
    found = {}
    for model, page in long_lists().items():
        if model._meta.label in BY_ITSELF:
            continue
        for path, names in _by_owner(model, page.get_search_fields(request_of_admin)).items():
            owner = _owner(model, path)
            if owner._meta.label in SMALL:
                continue
            for name in names:
                conditions = [where for word in WORDS if (where := _condition(owner, name, word))]
                looked = [owner._default_manager.order_by().filter(where).values_list("pk") for where in conditions]
                said = [fault for rows in looked for fault in faults(rows)]
                if said or not conditions:
                    found[f"{model._meta.label}: {path} {name}"] = said
            if path and not _is_many(model, path) and LOOKUP_SEP not in path:
                said = faults(model._default_manager.order_by().filter(**{f"{path}__in": [1]}).values_list("pk"))
                if said:
                    found[f"{model._meta.label}: {path}"] = said
    assert not found, "\n".join(f"{name}: {said}" for name, said in sorted(found.items()))
