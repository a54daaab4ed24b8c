"""The pool studio in a real browser: from a template to a draft, for a new season, and without any script."""

import pytest

from pools.models import Pool
from pools.services.rules.templates import TEMPLATES
from tests.factories.accounts import PASSWORD, ModeratorFactory
from tests.factories.entries import RequestFactory
from tests.factories.pools import PoolFactory, league

pytestmark = [pytest.mark.slow, pytest.mark.browser]
STUDIO = "/admin/pools/pool/studio/"
NEXT = "button:has-text('Next')"


@pytest.fixture
def studio(office):
    """Somebody who makes pools, and a season to play."""
    league(rounds=9, name="English Cup 2030", code="cup-2030")
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/pools/pool/")
    return office


def walk(page, look=lambda name: None):
    """From the first page to the draft, as people go."""
    page.check("input[value=last-man-standing]")
    page.select_option("[name=competition]", label="English Cup 2030")
    look("studio-start")
    page.click(NEXT)
    page.fill("[name=name]", "Last man standing")
    page.fill("[name=entry_fee]", "25")
    look("studio-terms")
    page.click(NEXT)
    page.wait_for_selector("text=25.00 GBP")
    page.select_option("[name=zone]", "Asia/Tokyo")
    page.click("button:has-text('Show')")
    page.wait_for_selector(".studio-rounds >> text=JST >> nth=0")
    look("studio-look")
    page.click("button:has-text('Change the terms')")
    page.wait_for_selector("[name=capacity]:visible")
    assert page.input_value("[name=name]") == "Last man standing"
    page.fill("[name=capacity]", "40")
    page.click(NEXT)
    page.click("button:has-text('Make the draft')")
    page.wait_for_url("**/change/")


def test_a_draft_is_made_from_a_template(studio):
    studio.page.click("a:has-text('New from a template')")
    walk(studio.page, studio.look)
    studio.page.wait_for_selector("text=The draft is made.")
    assert "JST" in studio.page.inner_text(".studio-rounds")
    studio.look("studio-draft")
    pool = Pool.objects.get()
    assert (pool.name, pool.status, pool.capacity, pool.currency) == ("Last man standing", "draft", 40, "gbp")


def test_a_pool_is_made_again_for_a_new_season(studio):
    old = PoolFactory(name="Main 2029", rules={"strikes": 1})
    page = studio.page
    studio.open(f"/admin/pools/pool/{old.pk}/change/")
    page.click("a:has-text('Clone for a new season')")
    page.select_option("[name=competition]", label="English Cup 2030")
    page.wait_for_selector("text=The same pool for a new season")
    studio.look("studio-clone")
    page.click(NEXT)
    page.fill("[name=name]", "Main 2030")
    page.click(NEXT)
    page.wait_for_selector("text=An entry survives one loss")
    page.click("button:has-text('Make the draft')")
    page.wait_for_url("**/change/")
    assert Pool.objects.get(name="Main 2030").rules_versions.get().strikes == 1


@pytest.mark.parametrize("template", [key for key in TEMPLATES if key != "last-man-standing"])
def test_every_template_leads_to_a_draft(studio, template):
    page = studio.page
    studio.open(STUDIO)
    page.check(f"input[value={template}]")
    page.select_option("[name=competition]", label="English Cup 2030")
    page.click(NEXT)
    page.fill("[name=name]", "Main")
    page.fill("[name=entry_fee]", "12.345")
    page.click(NEXT)
    page.wait_for_selector("[role=alert] >> text=USD has 2 decimals.")
    page.fill("[name=entry_fee]", "12.50")
    page.click(NEXT)
    page.wait_for_selector("text=12.50 USD")
    # The sentences come first; the switches are folded away.
    assert not page.get_by_text("cancelled_game =").is_visible()
    page.click("summary:has-text('The switches, version 1')")
    assert page.get_by_text("cancelled_game =").is_visible()
    page.click("button:has-text('Make the draft')")
    page.wait_for_url("**/change/")
    assert Pool.objects.get().entry_fee_cents == 1250


def test_a_pool_is_published_closed_and_cancelled_after_a_look(studio):
    pool = PoolFactory(name="Main 2030", status="draft", capacity=40)
    page, address = studio.page, f"/admin/pools/pool/{pool.pk}/change/"

    def act(button, shows, name, reason=""):
        studio.open(address)
        page.get_by_role("button", name=button, exact=True).first.click()
        page.wait_for_selector(f"text={shows}")
        studio.look(name)
        if reason:
            page.fill("[name=reason]", reason)
        page.locator("form:has(input[name=confirmed]) button[type=submit]").click()
        page.wait_for_selector("text=1 of 1")
        return Pool.objects.get().status

    assert act("Publish", "Fee: 50.00 USD; Places: 40", "pool-publish") == "open"
    RequestFactory.create_batch(2, pool=pool)
    RequestFactory(pool=pool, approved=True)
    assert act("Close registration now", "which can only be rejected then: 2", "pool-close-registration") == "open"
    assert Pool.objects.get().registration_closes_at is not None
    assert act("Cancel", "which are turned down: 2", "pool-cancel", "Too few players.") == "cancelled"
    studio.open(address)
    studio.look("pool-cancelled")


def test_it_works_without_a_script(studio, chromium, served):
    context = chromium.new_context(
        base_url=served, java_script_enabled=False, storage_state=studio.page.context.storage_state()
    )
    page = context.new_page()
    page.goto(STUDIO)
    walk(page)
    context.close()
    assert Pool.objects.get().status == "draft"
