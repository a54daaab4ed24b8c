"""The requests workbench in a real browser: by mouse, by keyboard alone, and without any script."""

import pytest

from config import outbox
from config.clock import database_now
from entries.models import BulkDecision, ReasonTemplate, Request
from tests.factories.accounts import PASSWORD, ModeratorFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory
from tests.factories.pools import PoolFactory

pytestmark = [pytest.mark.slow, pytest.mark.browser]
BENCH = "/admin/entries/request/workbench"


@pytest.fixture
def bench(office):
    """Somebody who decides, at a queue of five: one of them a child, one with a history."""
    pool = PoolFactory(name="Thanksgiving Survivor", capacity=4)
    old_hand = UserFactory(display_name="Ann Arbor")
    EntryFactory(owner=old_hand)
    child = UserFactory(display_name="Tim Young", date_of_birth=database_now().date().replace(day=1, year=2012))
    people = [old_hand, child, *(UserFactory(display_name=name) for name in ("Bob", "Cleo", "Dan"))]
    office.rows = [RequestFactory(pool=pool, user=person) for person in people]
    ReasonTemplate.objects.create(kind="reject", title="Too young", text="This pool is for players of 18 or older.")
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open(BENCH)
    return office


def statuses(office):
    return [Request.objects.get(pk=row.pk).status for row in office.rows]


def test_it_is_decided_by_keys_alone(bench):
    keys = bench.page.keyboard
    keys.press("?")
    assert bench.page.get_by_text("choose it, or not").is_visible()
    keys.press("?")
    # The second is a child: rejected, with words from a template.
    keys.press("j")
    keys.press("j")
    bench.look("workbench")
    keys.press("r")
    bench.arrive("[data-confirm]")
    keys.press("ArrowDown")
    assert bench.page.input_value("[name=reason]") == "This pool is for players of 18 or older."
    bench.look("workbench-reject")
    bench.page.focus("[name=reason]")
    keys.press("Tab")
    keys.press("Enter")
    bench.arrive("text=1 request rejected.")
    assert statuses(bench) == ["pending", "rejected", "pending", "pending", "pending"]
    # Of the others two are chosen and approved; Escape leaves everything as it was.
    keys.press("j")
    keys.press("x")
    keys.press("j")
    keys.press("x")
    keys.press("a")
    bench.arrive("[data-confirm]")
    keys.press("Escape")
    bench.arrive("[data-workbench]")
    assert Request.objects.filter(status="approved").count() == 1
    for key in ("j", "x", "j", "x", "a"):
        keys.press(key)
    bench.arrive("[data-confirm]")
    bench.look("workbench-approve")
    keys.press("Enter")
    bench.arrive("text=2 requests approved.")
    assert statuses(bench) == ["approved", "rejected", "approved", "pending", "pending"]


def test_it_is_decided_by_mouse_with_partial_success_and_taken_back(bench):
    page = bench.page
    for box in page.query_selector_all("input[name=request]"):
        box.click()
    assert page.inner_text("[data-chosen]") == "(5)"
    page.click("[data-way=approve]")
    page.click("[data-confirm] button[type=submit]")
    page.wait_for_url("**/bulkdecision/*/change/")
    assert "5 of 5 are through." in page.content()
    assert "All 4 places are taken." in page.content()
    bench.look("bulk-decision")
    page.click("button[value=undo]")
    page.fill("textarea[name=reason]", "The wrong list.")
    page.click("button[type=submit]:has-text('Undo')")
    page.wait_for_selector("text=1 of 1 undone.")
    # The fourth place was Ann's, who has paid for another entry; nobody has paid for these.
    assert statuses(bench)[:3] == ["withdrawn"] * 3


def test_many_are_a_workers_whose_progress_is_watched(bench):
    pool = PoolFactory(name="Large", capacity=None)
    for number in range(35):
        RequestFactory(pool=pool, user__display_name=f"Player {number}")
    page = bench.page
    bench.open(f"{BENCH}?pool={pool.pk}")
    page.check("input[name=all]")
    page.click("[data-way=approve]")
    page.click("[data-confirm] button[type=submit]")
    page.wait_for_url("**/bulkdecision/*/change/")
    assert "0 of 35 are through." in page.content()
    outbox.drain()
    # The page looks again by itself.
    page.wait_for_selector("text=35 of 35 are through.", timeout=10_000)
    assert BulkDecision.objects.get().status == "done"


def test_it_works_without_a_script(bench, chromium, served):
    context = chromium.new_context(
        base_url=served, java_script_enabled=False, storage_state=bench.page.context.storage_state()
    )
    page = context.new_page()
    page.goto(BENCH)
    page.check(f"input[name=request][value='{bench.rows[2].pk}']")
    page.click("[data-way=approve]")
    page.click("[data-confirm] button[type=submit]")
    assert "1 request approved." in page.content()
    page.click(f"button[value='reject-{bench.rows[1].pk}']")
    page.select_option("[name=template]", label="Too young")
    page.click("[data-confirm] button[type=submit]")
    assert "1 request rejected." in page.content()
    context.close()
    assert statuses(bench) == ["pending", "rejected", "approved", "pending", "pending"]
