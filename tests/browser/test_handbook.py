"""From a page of the back office to the part of the handbook that is about it, by the keyboard alone."""

import pytest

from tests.factories.accounts import PASSWORD, FinanceFactory, ModeratorFactory
from tests.factories.pools import PoolFactory

pytestmark = [pytest.mark.slow, pytest.mark.browser]
# Where each of them works, and the heading that helps there.
WORK = {
    ModeratorFactory: (
        "/admin/", "/admin/entries/request/workbench", "/admin/pools/pool/studio/", "/admin/entries/rehearsal/new/",
        "/admin/entries/entry/rooms", "/admin/entries/entry/rooms/{pool}/1/", "/admin/entries/ruling/",
        "/admin/entries/announcement/add/", "/admin/accounts/messagetemplate/add/", "/admin/accounts/letter/",
        "/admin/accounts/messagepreferences/",
    ),
    FinanceFactory: (
        "/admin/", "/admin/payments/export/new/", "/admin/payments/exportschedule/new/",
        "/admin/payments/discrepancy/", "/admin/payments/reconciliationrun/finance", "/admin/payments/journalentry/",
        "/admin/payments/account/", "/admin/payments/periodclose/", "/admin/payments/refund/",
        "/admin/payments/entrymoney/",
    ),
}  # fmt: skip


def focused(page):
    return page.evaluate("document.activeElement.className")


def test_help_is_reached_by_keyboard_and_read(office):
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/entries/request/")
    page = office.page
    link = page.get_by_role("link", name="Help for this page, in a window of its own")
    for _ in range(120):
        page.keyboard.press("Tab")
        if "help-link" in focused(page):
            break
    assert "help-link" in focused(page)
    with page.expect_popup() as opened:
        page.keyboard.press("Enter")
    help_page = opened.value
    help_page.wait_for_load_state("networkidle")
    assert help_page.url.endswith("/admin/handbook/staff/requests#the-list-of-requests")
    assert help_page.get_by_role("heading", name="The list of requests").is_visible()
    help_page.close()
    # What was open stays open.
    assert link.is_visible()


def test_its_pages_can_be_read_by_everybody_and_searched(office):
    office.enter(ModeratorFactory(password=PASSWORD))
    office.open("/admin/handbook/")
    office.look("handbook-contents")
    office.page.get_by_label("Search the handbook").fill("waiting list")
    office.page.keyboard.press("Enter")
    office.page.wait_for_selector(".handbook-found a")
    office.look("handbook-search")
    office.page.click(".handbook-found a[href*='requests#deciding']")
    office.page.wait_for_selector("#deciding")
    for picture in office.page.locator("article img").all():
        picture.scroll_into_view_if_needed()
    office.page.wait_for_load_state("networkidle")
    sizes = office.page.eval_on_selector_all("article img", "all => all.map(one => one.naturalWidth)")
    assert len(sizes) > 2
    assert min(sizes) > 0
    office.look("handbook-page")
    office.open("/admin/handbook/docs/bank")
    office.look("handbook-behind")


@pytest.mark.parametrize("role", WORK, ids=lambda role: role.__name__)
def test_where_people_work_help_is_about_that_page(office, role):
    pool = PoolFactory()
    office.enter(role(password=PASSWORD))
    for address in WORK[role]:
        office.open(address.format(pool=pool.pk))
        place = office.page.locator("a.help-link").first.get_attribute("href")
        page, _, heading = place.partition("#")
        office.open(place)
        assert (page.startswith("/admin/handbook/"), bool(heading)) == (True, True), address
        assert office.page.locator(f"[id='{heading}']").is_visible(), address
