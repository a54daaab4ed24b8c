"""What the scenes are made with: people at a running demo, in a browser, over the API and at the Stripe double."""

import io
import json
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

DOCS = Path(__file__).parent.parent
PASSWORD = "outlast-demo-2026"
DOMAIN = "demo.outlast.test"


def call(base: str, method: str, path: str, token: str = "", **body: Any) -> Any:
    """One API call; its data."""
    return ask(f"{base}/api/v1{path}", method, token, body)["data"]


def ask(address: str, method: str, token: str, body: dict[str, Any]) -> Any:
    """One call, of the API or of the Stripe double's controls."""
    request = urllib.request.Request(address, method=method)
    request.add_header("Content-Type", "application/json")
    if token:
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Idempotency-Key", str(uuid.uuid4()))
    request.data = json.dumps(body).encode() if method != "GET" else None
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def sign_in(base: str, name: str) -> str:
    return str(call(base, "POST", "/auth/token", email=f"{name}@{DOMAIN}", password=PASSWORD)["access"])


def enter_admin(page: Page, base: str, name: str) -> None:
    page.context.clear_cookies()
    page.goto(f"{base}/admin/login/?next=/admin/")
    page.fill("input[name=username]", f"{name}@{DOMAIN}")
    page.fill("input[name=password]", PASSWORD)
    page.click("button[type=submit]")
    page.wait_for_load_state("networkidle")


def shoot(page: Page, name: str, address: str = "", *, height: int = 800) -> None:
    """A picture of what is to be seen, or of an address; `name` is its place in docs/, without its ending. The window
    is as high as that: a page that means little in part is shown in a higher one.
    """
    page.set_viewport_size({"width": 1280, "height": height})
    if address:
        answer = page.goto(address)
        if answer is None or not answer.ok:
            raise ValueError(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(400)
    # A palette of 256 colours looks the same on such pages, and takes a third of the bytes.
    taken = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    taken.quantize(256, dither=Image.Dither.NONE).save(DOCS / f"{name}.png", optimize=True)


def start_payment(base: str, name: str) -> Any:
    token = sign_in(base, name)
    owed = next(r for r in call(base, "GET", "/requests", token) if r["payment_status"] == "pending")
    return call(base, "POST", f"/requests/{owed['id']}/payment", token)


def pay_by_card(base: str, name: str) -> Any:
    """A fee that came, all the way to its entry."""
    payment = start_payment(base, name)
    ask(f"{payment['checkout_url']}/pay", "POST", "", {"card": "4242424242424242"})
    token = sign_in(base, name)
    until(lambda: call(base, "GET", f"/payments/{payment['id']}", token)["status"] == "succeeded")
    return payment


def at_the_provider(payment: Any, control: str, **details: Any) -> None:
    """What banks and people at the dashboard do; see `python -m config.local.stripe`."""
    double, _, session = payment["checkout_url"].rpartition("/pay/")
    ask(f"{double}/_double/{control}", "POST", "", {"session": session, **details})


def until(holds: Callable[[], Any]) -> None:
    for _ in range(60):
        if holds():
            return
        time.sleep(0.5)
    raise TimeoutError
