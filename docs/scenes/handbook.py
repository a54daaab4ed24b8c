"""The scenes of the handbook that the tour has not."""

from kit import call, enter_admin, shoot, sign_in
from playwright.sync_api import Page


def decide(page: Page, base: str) -> None:
    """Three requests on the workbench, and what becomes of them."""
    enter_admin(page, base, "moderator")
    pool = next(pool["id"] for pool in call(base, "GET", "/pools") if pool["name"] == "The Second Half")
    page.goto(f"{base}/admin/entries/request/workbench/?pool={pool}")
    for box in page.locator("[data-workbench] tbody input[type=checkbox]").all()[:3]:
        box.check()
    page.locator(".workbench-bar button[value=approve]").click()
    shoot(page, "handbook/pictures/decide")
    page.locator("#content form[method=post] button[type=submit]").last.click()
    page.wait_for_load_state("networkidle")
    page.goto(f"{base}/admin/entries/bulkdecision/")
    page.click("#result_list a[href*='/change/']")
    shoot(page, "handbook/pictures/bulk")


def rounds(page: Page, base: str) -> None:
    """The rounds of a competition, and what settling it would change."""
    enter_admin(page, base, "moderator")
    shoot(page, "handbook/pictures/rounds", f"{base}/admin/pools/round/")
    page.goto(f"{base}/admin/entries/settlement/settle/")
    page.locator("select[name=competition]").select_option(index=1)
    page.click("button:has-text('What would it change?')")
    shoot(page, "handbook/pictures/settle")


def rulings(page: Page, base: str) -> None:
    """What was decided by two."""
    enter_admin(page, base, "moderator")
    shoot(page, "handbook/pictures/rulings", f"{base}/admin/entries/ruling/")


def document(page: Page, base: str) -> None:
    """What a player handed in."""
    enter_admin(page, base, "finance")
    shoot(page, "handbook/pictures/document", f"{base}/admin/accounts/document/1/change/")


def announcement(page: Page, base: str) -> None:
    """A draft as its reader will see it."""
    enter_admin(page, base, "moderator")
    page.goto(f"{base}/admin/entries/announcement/add/")
    page.locator("select[name=pool]").select_option(label="The Long Season")
    page.fill("[name=subject_en]", "Thursday kicks off early")
    page.fill(
        "[name=body_en]", "The first game of the next round is on Thursday. Pick before it, {name}.\n\nGood luck!"
    )
    page.click("[name=_save]")
    page.click("#result_list a[href*='/change/']")
    page.mouse.wheel(0, 350)
    shoot(page, "handbook/pictures/announcement")


def doubts(page: Page, base: str) -> None:
    """A row of finance's queue, and the line of the bank that it is about."""
    enter_admin(page, base, "finance")
    line = call(base, "GET", "/bank-lines?status=waiting", sign_in(base, "finance"))[0]["id"]
    page.goto(f"{base}/admin/payments/discrepancy/?q=bank_line:{line}")
    page.click("#result_list a[href*='/change/']")
    shoot(page, "handbook/pictures/discrepancy")
    shoot(page, "handbook/pictures/match", f"{base}/admin/payments/bankline/{line}/match")


def by_hand(page: Page, base: str) -> None:
    """A cheque that one person took, and another has to confirm."""
    enter_admin(page, base, "admin")
    page.goto(f"{base}/admin/payments/manualrecord/?q=004711")
    page.click("#result_list a[href*='/change/']")
    shoot(page, "handbook/pictures/by-hand")


def books(page: Page, base: str) -> None:
    """An entry of the journal."""
    enter_admin(page, base, "finance")
    shoot(page, "handbook/pictures/entry", f"{base}/admin/payments/journalentry/1/change/")


def watch(page: Page, base: str) -> None:
    """What waits to be done."""
    enter_admin(page, base, "admin")
    shoot(page, "handbook/pictures/outbox", f"{base}/admin/config/outboxmessage/")


SCENES = (decide, rounds, rulings, document, announcement, doubts, by_hand, books, watch)
