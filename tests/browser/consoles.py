"""Opens every kind of page of a running demo in a real browser, and fails where a console says anything.

    python tests/browser/consoles.py http://127.0.0.1:8000

Needs `python3 manage.py up --fresh` in another terminal, and Chromium. What a policy forbids, a script that breaks and
a file that is missing all end up in the console.
"""

import re
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import ConsoleMessage, Page, sync_playwright

PASSWORD = "outlast-demo-2026"
DOMAIN = "demo.outlast.test"
PUBLIC = (
    "/verify-email",
    "/reset-password",
    "/confirm-email",
    "/undo-email",
    "/unsubscribe",
    "/payments/return",
    "/admin/login/",
)
# The list, the form of its first row, the form for a new row.
LISTS = ("accounts/user", "accounts/document", "accounts/exclusion", "accounts/spendinglimit", "accounts/agelimit",
         "pools/pool", "pools/game", "entries/request", "entries/entry", "payments/receipt",
         "payments/payment", "payments/export", "config/auditentry",
         "config/auditday")  # fmt: skip
ADMIN = ("/admin/", "/admin/second-factor/", "/admin/password_change/", "/admin/entries/request/workbench")
FIRST_ROW = "#result_list tbody a[href*='/change/']"
# A payment that nobody knows is a 404, and what finance may not see a 403, as they should be. Redoc's own sign comes
# from elsewhere, and is kept out. There is no icon.
EXPECTED = ("/payments/return)", "status of 403", "cdn.redoc.ly/redoc/logo-mini.svg", "/favicon.ico)")


class Said:
    """What consoles said, page by page."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.looked_at = 0

    @contextmanager
    def on(self, page: Page, name: str) -> Iterator[None]:
        heard = []

        def hear(message: ConsoleMessage) -> None:
            line = f"{message.text} ({message.location.get('url', '')})"
            if message.type in ("error", "warning") and not any(word in line for word in EXPECTED):
                heard.append(line)

        def crash(error: object) -> None:
            heard.append(str(error))

        page.on("console", hear)
        page.on("pageerror", crash)
        yield
        page.wait_for_load_state("networkidle")
        page.wait_for_timeout(300)
        page.remove_listener("console", hear)
        page.remove_listener("pageerror", crash)
        self.looked_at += 1
        self.lines += [f"{name}: {line}" for line in heard]
        print(f"{len(heard):3} {name}", flush=True)


def enter(page: Page, base: str, name: str) -> None:
    """Sign in to the back office."""
    page.context.clear_cookies()
    page.goto(f"{base}/admin/login/?next=/admin/")
    page.fill("input[name=username]", f"{name}@{DOMAIN}")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def look(page: Page, base: str, said: Said, path: str) -> None:
    """One page, by its address."""
    with said.on(page, path):
        page.goto(base + path)


def look_at_list(page: Page, base: str, said: Said, model: str) -> None:
    """The list, searched and filtered; the form of its first row; its actions; the form for a new one."""
    look(page, base, said, f"/admin/{model}/")
    look(page, base, said, f"/admin/{model}/?q=a")
    page.goto(f"{base}/admin/{model}/")
    row = page.query_selector(FIRST_ROW)
    if row is not None:
        href = str(row.get_attribute("href"))
        look(page, base, said, href if href.startswith("/") else f"/admin/{model}/{href}")
        with said.on(page, f"/admin/{model}/ menus"):
            for opener in page.query_selector_all("[x-on\\:click]:visible")[:12]:
                opener.click(timeout=1000, force=True, no_wait_after=True)
    links = page.eval_on_selector_all("a[href]", "all => all.map(a => a.getAttribute('href'))")
    pages = {
        link for link in links if link and re.match(rf"/admin/{model}/.*(?!change|delete|history)[a-z_-]+/?$", link)
    }
    # A download is no page.
    for link in sorted(one for one in pages - {f"/admin/{model}/"} if not one.endswith("/file"))[:4]:
        look(page, base, said, link)


def main(base: str) -> int:
    said = Said()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--disable-dev-shm-usage", "--disable-background-networking", "--no-sandbox"],
        )
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        for path in PUBLIC:
            look(page, base, said, path)
        with said.on(page, "/api/docs/ in use"):
            page.goto(f"{base}/api/docs/")
            page.wait_for_selector(".opblock")
            page.click(".opblock-get >> nth=0")
        with said.on(page, "/api/redoc/"):
            page.goto(f"{base}/api/redoc/")
            page.wait_for_selector("[role=menuitem], .menu-content", timeout=60_000)
        for name in ("admin", "finance"):
            enter(page, base, name)
            for path in ADMIN:
                look(page, base, said, path)
            for model in LISTS:
                look_at_list(page, base, said, model)
        browser.close()
    print(f"{said.looked_at} pages looked at, {len(said.lines)} lines in their consoles")
    print("\n".join(said.lines))
    return 1 if said.lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1].rstrip("/")))
