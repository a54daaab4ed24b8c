"""The scenes of the README's tour, most of whose pictures the handbook shows as well."""

from kit import at_the_provider, call, enter_admin, pay_by_card, shoot, sign_in, start_payment, until
from playwright.sync_api import Page


def approve(page: Page, base: str) -> None:
    """The moderator's queue, and the page that says what approving three requests will do."""
    enter_admin(page, base, "moderator")
    shoot(page, "tour/workbench", f"{base}/admin/entries/request/workbench/")
    shoot(page, "tour/requests", f"{base}/admin/entries/request/?status__exact=pending")
    for box in page.query_selector_all("input.action-select")[:3]:
        box.check()
    page.select_option("select[name=action]", label="Approve")
    page.click("button[name=index], button[title^=Run]")
    shoot(page, "tour/approve")


def pay(page: Page, base: str) -> None:
    """A player's payment at the Stripe double, and the page they come back to."""
    requests = []
    for number in range(21, 180):
        token = sign_in(base, f"player{number:03}")
        requests = [r for r in call(base, "GET", "/requests", token) if r["payment_status"] == "pending"]
        if requests:
            break
    payment = call(base, "POST", f"/requests/{requests[0]['id']}/payment", token)
    shoot(page, "tour/pay", payment["checkout_url"])
    page.click("button[type=submit] >> nth=0")
    page.wait_for_url("**/payments/return**")
    shoot(page, "tour/paid")


def correct(page: Page, base: str) -> None:
    """A score that the league corrected: what that would change, before the second person agrees."""
    rounds = call(base, "GET", "/competitions/demo/rounds?limit=100")
    spread = call(base, "GET", "/pools/1/rounds/6/distribution")
    team = next(line["team"] for line in spread if line["result"] == "lost")
    game = next(game for game in rounds[5]["games"] if team in (game["home"], game["away"]))
    ruling = call(
        base, "POST", "/rulings", sign_in(base, "moderator"), kind="game", game=game["id"],
        reason="The league took back a touchdown on Tuesday.",
        details={"verdict": "score", "home_score": game["away_score"], "away_score": game["home_score"]},
    )  # fmt: skip
    page.goto(f"{base}/admin/entries/ruling/{ruling['id']}/change/")
    page.get_by_text("if it were confirmed now").scroll_into_view_if_needed()
    page.mouse.wheel(0, 450)
    shoot(page, "tour/ruling")
    call(base, "POST", f"/rulings/{ruling['id']}/withdraw", sign_in(base, "moderator"))


def watch_round(page: Page, base: str) -> None:
    """A round after its lock: the picks by team, who fell, and the games."""
    shoot(page, "tour/round-room", f"{base}/admin/entries/entry/rooms/1/6/", height=1500)


def read_rules(page: Page, base: str) -> None:
    """A pool's rules as its players read them."""
    page.goto(f"{base}/admin/pools/pool/4/change/")
    page.get_by_text("A pick is fixed from the kickoff").first.scroll_into_view_if_needed()
    shoot(page, "tour/rules")


def money(page: Page, base: str) -> None:
    """What finance looks at: what waits for a person, a second name, a dispute, the books, a pool that ends."""
    finance, admin = sign_in(base, "finance"), sign_in(base, "admin")
    paid = pay_by_card(base, "player187")
    call(
        base, "POST", f"/payments/{paid['id']}/refunds", finance,
        taken_from="place", reason="Moves abroad before the season begins.",
    )  # fmt: skip
    for name, control in (("player133", "disputes"), ("player134", "refunds")):
        at_the_provider(pay_by_card(base, name), control)
    at_the_provider(start_payment(base, "player135"), "charges", amount=2000)
    until(lambda: call(base, "GET", "/disputes", finance) and len(call(base, "GET", "/refunds", finance)) > 2)
    page.wait_for_timeout(3000)

    enter_admin(page, base, "admin")
    shoot(page, "tour/discrepancies", f"{base}/admin/payments/discrepancy/")
    page.goto(f"{base}/admin/payments/refund/2/change/")
    page.click("button:has-text('Approve')")
    shoot(page, "tour/refund")
    shoot(page, "tour/dispute", f"{base}/admin/payments/dispute/1/change/")
    shoot(page, "tour/trial-balance", f"{base}/admin/payments/journalentry/trial-balance/?livemode=test&detail=POOL")
    pool = next(pool["id"] for pool in call(base, "GET", "/pools") if pool["name"] == "The Second Half")
    proposal = call(base, "POST", f"/pools/{pool}/cancellation", finance, reason="The league ends its season early.")
    call(base, "POST", f"/pools/{pool}/cancellation/confirm", admin)
    page.goto(f"{base}/admin/payments/cancellation/{proposal['id']}/change/")
    until(lambda: page.reload() and not page.get_by_text("0 of 30", exact=True).is_visible())
    page.get_by_text("How far it is").scroll_into_view_if_needed()
    page.mouse.wheel(0, 450)
    shoot(page, "tour/cancellation")


def agree(page: Page, base: str) -> None:
    """Whether the money agrees: finance's page, a run, the centre of reports, an export, a bank statement."""
    enter_admin(page, base, "finance")
    admin = f"{base}/admin/payments"
    # Runs look no nearer than a minute to now.
    page.wait_for_timeout(60_000)
    page.goto(f"{admin}/reconciliationrun/finance/")
    page.click("button:has-text('Reconcile now')")
    page.wait_for_timeout(15_000)
    shoot(page, "tour/finance", f"{admin}/reconciliationrun/finance/")
    page.get_by_role("link", name="Deep").last.click()
    shoot(page, "tour/run")
    shoot(page, "tour/reports", f"{admin}/export/new/")
    shoot(page, "tour/export", f"{admin}/export/2/change/")
    shoot(page, "tour/statement", f"{admin}/bankstatement/1/change/")


def lock(page: Page, base: str) -> None:
    """How a second factor is set up, who did what, and what staff see of a person once they said why."""
    enter_admin(page, base, "moderator")
    page.goto(f"{base}/admin/second-factor/")
    page.click("button:has-text('Set it up')")
    shoot(page, "tour/second-factor")
    enter_admin(page, base, "admin")
    page.goto(f"{base}/admin/accounts/user/?q=player003")
    page.click("#result_list a[href*='/change/']")
    page.click("a:has-text('Personal data')")
    page.fill("input[name=reason]", "Ticket 2291: the name on the tax form differs.")
    page.click("button:has-text('Show')")
    shoot(page, "tour/personal-data")
    shoot(page, "tour/audit", f"{base}/admin/config/auditentry/")


def begin_pool(page: Page, base: str) -> None:
    """A pool from a template, as its players will read it; the draft is not made."""
    page.goto(f"{base}/admin/pools/pool/studio/")
    page.check("input[value=two-lives]")
    page.locator("[name=competition]").select_option(index=1)
    page.click("button:has-text('Next')")
    page.fill("[name=name]", "Two Lives")
    page.fill("[name=entry_fee]", "25")
    page.click("button:has-text('Next')")
    shoot(page, "tour/studio")


def rehearse(page: Page, base: str) -> None:
    """Two rule sets over the rounds of the demo that are over, and what came of both."""
    enter_admin(page, base, "moderator")
    page.goto(f"{base}/admin/entries/rehearsal/new/")
    page.select_option("[name=competition]", label="Continental League (demo)")
    page.fill("[name=last]", "5")
    page.select_option("[name=other]", "template:two-lives")
    for name, value in (("entries", "5000"), ("fee", "25"), ("seed", "2026")):
        page.fill(f"[name={name}]", value)
    page.click("button:has-text('Rehearse')")
    page.wait_for_selector(".rehearsal-chart canvas", timeout=60_000)
    page.mouse.move(800, 400)
    page.mouse.wheel(0, 420)
    shoot(page, "tour/rehearsal")


def look_around(page: Page, base: str) -> None:
    """Home, a new pool, lists of the admin and of finance, the API's documentation."""
    enter_admin(page, base, "admin")
    shoot(page, "tour/home", f"{base}/admin/")
    begin_pool(page, base)
    page.goto(f"{base}/admin/entries/entry/1/change/")
    page.get_by_role("link", name="Timeline").first.click()
    shoot(page, "tour/timeline")
    shoot(page, "tour/pools", f"{base}/admin/pools/pool/")
    shoot(page, "tour/game", f"{base}/admin/pools/game/")
    watch_round(page, base)
    read_rules(page, base)
    correct(page, base)
    enter_admin(page, base, "finance")
    shoot(page, "tour/receipts", f"{base}/admin/payments/receipt/")
    shoot(page, "tour/docs", f"{base}/api/docs/")


SCENES = (pay, approve, lock, look_around, rehearse, money, agree)
