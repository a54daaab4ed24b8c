"""Home in a real browser: every number leads to as many rows; menu, search and colours by the keyboard alone."""

from datetime import timedelta

import pytest

from accounts.models import Document
from config.clock import database_now
from payments.models import Discrepancy, DiscrepancyKind
from pools.models import Game
from tests.factories.accounts import PASSWORD, AdminFactory, UserFactory
from tests.factories.entries import EntryFactory, RequestFactory, pick
from tests.factories.payments import unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.ruling import propose

pytestmark = [pytest.mark.slow, pytest.mark.browser]
ROWS = "#result_list tbody tr:has(a)"


@pytest.fixture
def home(office):
    """Something in many queues, and rounds ahead."""
    pool = PoolFactory(name="Thanksgiving Survivor")
    RequestFactory.create_batch(3, pool=pool)
    RequestFactory(pool=pool, waitlisted_at=database_now())
    RequestFactory.create_batch(2, pool=pool, approved=True, pay_by=database_now() + timedelta(hours=2))
    entries = [EntryFactory(in_pool=pool) for _ in range(3)]
    pick(entries[0], 1, "ANT")
    propose("disqualify", entry=entries[1])
    game = Game.objects.filter(competition=pool.competition).first()
    Game.objects.filter(pk=game.pk).update(review="It was moved to another week.")
    unapplied_money(RequestFactory(pool=PoolFactory(competition=pool.competition), approved=True))
    Document.objects.create(
        owner=UserFactory(), kind="identity", name="passport.png", key="documents/1", content_type="image/png", size=1,
        sha256="0" * 64, status="clean",
    )  # fmt: skip
    for kind in (DiscrepancyKind.MISSING_AT_PROVIDER, DiscrepancyKind.AMOUNT_MISMATCH):
        Discrepancy.objects.create(kind=kind, object_key=f"payment:{kind}", sentence="Look.", suggestion="Look.")
    office.enter(AdminFactory(password=PASSWORD, display_name="Ada Minh"))
    return office


def test_every_number_leads_to_as_many_rows(home):
    page = home.page
    home.look("home")
    told = [
        (link.get_attribute("href"), link.query_selector(".home-label").inner_text(),
         int(link.query_selector(".home-number").inner_text()))
        for link in page.query_selector_all(".home-queue")
    ]  # fmt: skip
    assert {label: number for _, label, number in told}.items() >= {
        "Requests to decide": 3, "Unpaid, about to expire": 2, "Rulings for a second name": 1,
        "Games that wait for a ruling": 1, "Money without a place": 1, "Documents to look at": 1,
    }.items()  # fmt: skip
    for address, label, number in told:
        home.open(address)
        assert page.locator(ROWS).count() == number, label
    home.open("/admin/")
    page.click(".home-table a:has-text('Thanksgiving Survivor')")
    # Its room, with those first who have not picked.
    page.wait_for_selector("text=Picks are open")
    assert page.locator("section[aria-labelledby=room-entries] tbody tr").count() == 2


def test_menu_search_and_colours_need_no_mouse(home):
    page, keys = home.page, home.page.keyboard
    keys.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "To the content"
    keys.press("Enter")
    assert page.evaluate("location.hash") == "#content"
    keys.press("Tab")
    assert page.evaluate("document.querySelector('#content').contains(document.activeElement)")

    # A group of the menu, and a list in it.
    group = page.locator("details.menu-group", has_text="Money").locator("summary").first
    group.focus()
    was_open = group.evaluate("one => one.parentElement.open")
    keys.press("Enter")
    assert group.evaluate("one => one.parentElement.open") != was_open
    if was_open:
        keys.press("Enter")
    keys.press("Tab")
    first = page.evaluate("document.activeElement.href")
    keys.press("Enter")
    page.wait_for_url(first)

    # The search finds a page.
    home.open("/admin/")
    keys.press("Control+k")
    page.wait_for_selector(
        "input[type=search]:focus, input[name=s]:focus, #search-query:focus, [x-ref=searchInputCommand]:focus"
    )
    keys.type("Refunds")
    page.wait_for_selector("a[href='/admin/payments/refund/']:visible >> nth=0")
    keys.press("Escape")

    # Colours: dark stays dark on the next page.
    menu = page.locator("details.account-menu summary").first
    menu.focus()
    keys.press("Enter")
    for _ in range(3):
        keys.press("Tab")
        if page.evaluate("document.activeElement.textContent").strip().endswith("Dark"):
            break
    keys.press("Enter")
    page.wait_for_selector("html.dark")
    home.open("/admin/pools/pool/")
    page.wait_for_selector("html.dark")
    home.look("pools")
