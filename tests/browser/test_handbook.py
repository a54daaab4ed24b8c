"""From a page of the back office to the part of the handbook that is about it, by the keyboard alone."""

import pytest

from tests.factories.accounts import PASSWORD, ModeratorFactory

pytestmark = [pytest.mark.slow, pytest.mark.browser]


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
