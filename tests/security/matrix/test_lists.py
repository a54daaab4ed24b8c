"""Rows 18 and 41: what a list costs however long it is, and that it holds nothing of others."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Document, Login
from config.api.parameters import known_parameters
from config.clock import database_now
from payments.exports.asking import request_export
from payments.exports.schedules import Plan, create_schedule
from payments.models import FileFormat
from payments.models.export_schedule import Every
from payments.reports import REPORTS, Narrowing
from payments.services.queue.foreign import mark_foreign
from tests.factories.entries import RequestFactory, pick
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.factories.pools import PoolFactory
from tests.security.matrix.knocking import ask, knock, taken_back
from tests.security.matrix.operations import operations
from tests.security.matrix.pages import admins, visiting
from tests.security.matrix.test_matrix import OF_THE_HOUSE
from tests.security.matrix.world import PLACE
from tests.support.queue import moved
from tests.support.reports import rows
from tests.support.ruling import propose

pytestmark = pytest.mark.django_db
# Lists of which there is one thing here: their own tests count.
SHORT = {
    "GET /api/v1/bank-statements", "GET /api/v1/journal-batches", "GET /api/v1/me/exclusions", "GET /api/v1/periods",
    "GET /api/v1/pools/<pool_id>/amendments", "GET /api/v1/pools/<pool_id>/rules",
    "GET /api/v1/pools/<pool_id>/rulings", "GET /api/v1/webhook-endpoints",
    "GET /api/v1/webhook-endpoints/<endpoint>/deliveries",
}  # fmt: skip
# The first row has nothing below it: what would be fetched of that at once, for all rows, is not fetched for one.
NESTED = ("/admin/payments/providerpayout/", "GET /api/v1/discrepancies")
# Whom a list is asked as, where admins see nothing in it.
OF_THE_OWNER = ("/api/v1/me", "/api/v1/api-keys", "/api/v1/entries/<", "/api/v1/webhook-endpoints")


def lists(told) -> list:
    """The operations that answer with a list, as the one who sees it."""
    return [
        (one, kind)
        for one in operations()
        for kind in ["owner" if one.route.template.startswith(OF_THE_OWNER) else "admin"]
        if one.verb == "GET" and told.by(kind)[one.name].is_list and "limit" in known_parameters(one.view, "GET")
    ]


def a_second_of_each(world) -> None:
    """Of what the world has one of."""
    owner, finance, now = world.people.owner, world.people.finance, database_now()
    entry = world.rows["entry"]
    ask(world.client("owner"), "PUT", f"/api/v1/entries/{entry.pk}/picks/1", {"team": "BAT"})
    pick(entry, 2, "ANT")
    Login.objects.create(user=owner, provider="apple", issuer="https://apple.test", subject="2")
    Document.objects.create(
        owner=owner, kind="identity", name="back.png", key="documents/the-back", content_type="image/png", size=1,
        sha256="1" * 64,
    )  # fmt: skip
    csv = FileFormat.CSV
    request_export(kind="refunds", narrowing=Narrowing(), file_format=csv, by=finance, now=now)
    daily = Plan("Daily", "trial_balance", csv, Every.DAY)
    create_schedule(plan=daily, recipients=[finance], by=finance, now=now)
    mark_foreign(discrepancy_id=moved(-400).pk, by=finance, reason="Not ours either.")
    propose("disqualify", entry=world.rows["foreign entry"])


def test_row_18_a_list_costs_the_same_for_one_row_and_for_a_hundred(world, told):
    found, short, dear = lists(told), set(), []
    with taken_back():
        a_second_of_each(world)
        for one, kind in found:
            path, client = world.path(one.route.template), world.client(kind)
            costs: dict[int, list[int]] = {1: [], 100: []}
            # Twice, because what a process learns once is asked for at some first time.
            for limit in (100, 1, 100, 1):
                with taken_back(), CaptureQueriesContext(connection) as queries:
                    length = len(ask(client, "GET", path, limit=limit).data)
                costs[limit].append(len(queries))
                if limit == 100 and length < 2:
                    short.add(one.name)
            if one.name not in {*short, *NESTED} and min(costs[1]) != min(costs[100]):
                dear.append((one.name, costs))
    assert dear == []
    assert short == SHORT


@pytest.mark.slow
def test_row_18_a_page_of_the_back_office_costs_the_same_for_one_row_and_for_a_hundred(world, monkeypatch):
    tried, dear = 0, []
    with visiting(world, "admin") as browser:
        for site_admin in admins():
            path, counted = f"/admin/{site_admin.opts.app_label}/{site_admin.opts.model_name}/", []
            length = site_admin.model._base_manager.count()
            for most in (100, 1, 100):
                monkeypatch.setattr(site_admin, "list_per_page", most)
                with taken_back(), CaptureQueriesContext(connection) as queries:
                    assert browser.get(path).status_code == 200
                counted.append(len(queries))
            if length > 1:
                tried += 1
                if counted[1] != counted[2] and path not in NESTED:
                    dear.append((path, length, *counted[1:]))
    assert dear == []
    assert tried > 20


# --- 41 ---------------------------------------------------------------------------------------------------------------


def everything_of_theirs(world, kind) -> dict[str, bytes]:
    """What they are told that is no news of pools, word for word."""
    told = {}
    for one in operations():
        if one.verb == "GET" and not OF_THE_HOUSE.match(one.route.template) and not PLACE.search(one.route.template):
            content = knock(world, kind, one).content
            told[one.name] = content.partition(b'"meta"')[0]
    return told


@pytest.mark.parametrize("kind", ["pool", "other"])
def test_row_41_whatever_others_do_a_player_is_told_the_same(world, kind):
    """Not a row, not a number, not an order: what somebody else asked for, paid, picked and got back is not there."""
    with taken_back():
        own_data = "GET /api/v1/me/export"  # which tells when it was fetched before
        before = everything_of_theirs(world, kind)
        owner = world.people.owner
        entry = paid_entry(RequestFactory(approved=True, pool=world.rows["other pool"], user=owner, number=3))
        pick(entry, 1, "BAT")
        third = PoolFactory(competition=entry.pool.competition)
        refund_of(unapplied_money(RequestFactory(approved=True, pool=third, user=owner)))

        after = everything_of_theirs(world, kind)

    assert {name for name in before if before[name] != after[name]} <= {own_data}
    assert len(before) > 20


def test_row_41_a_list_of_one_pool_holds_nothing_of_another(world, told):
    """Asked by staff, who see both."""
    pools, tried = (world.rows["pool"].pk, world.rows["other pool"].pk), []
    for one, kind in lists(told):
        if "pool" in known_parameters(one.view, "GET"):
            path = world.path(one.route.template)
            found = [ask(world.client(kind), "GET", path, pool=pool, limit=100).data for pool in pools]
            ids = [{row["id"] for row in each} for each in found]
            assert ids[0] & ids[1] == set(), one.name
            for pool, each in zip(pools, found, strict=True):
                assert {row["pool"] for row in each if "pool" in row} <= {pool}, one.name
            tried.append((one.name, bool(ids[0]), bool(ids[1])))
    assert {name for name, first, second in tried if first and second} >= {
        "GET /api/v1/requests", "GET /api/v1/entries"
    }  # fmt: skip


def test_row_41_a_report_of_one_pool_holds_nothing_of_another(world):
    full = apart = 0
    for kind, report in REPORTS.items():
        if report.has_pool and "pool" in {column.name for column in report.columns}:
            whole = {row["pool"] for row in rows(kind)} - {""}
            for pool in sorted(whole, key=int)[:3]:
                found = {row["pool"] for row in rows(kind, FileFormat.CSV, pool_id=int(pool))}
                # What touches its accounts comes whole: the other side is an account of the house.
                assert found <= {pool, ""}, kind
                full += bool(found)
            apart += len(whole) > 1
    assert (apart > 5, full > 15) == (True, True)
