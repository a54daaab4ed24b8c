"""The HTML of the hosted page. Self-contained: no script, nothing fetched, every value escaped."""

from html import escape
from pathlib import Path
from string import Template

from config.local.stripe import cards
from config.local.stripe.account import Account
from config.local.stripe.currencies import format_amount
from config.local.stripe.wire import Json

FOLDER = Path(__file__).with_name("pages")


def open_session(account: Account, session: Json, items: list[Json], refusal: str | None) -> str:
    """What is paid, and the ways to pay it or not."""
    currency = session["currency"]
    return _render(
        "checkout.html",
        account,
        title=f"Pay {account.merchant}",
        total=format_amount(session["amount_total"], currency),
        code=currency.upper(),
        items="".join(_item(item) for item in items),
        email=_email(session["customer_email"]),
        alert="" if refusal is None else f'<p class="alert" role="alert">{escape(refusal)} Nothing was charged.</p>',
        action=f"/pay/{session['id']}/pay",
        good=cards.GOOD.number,
        declined=cards.DECLINED.number,
        good_spaced=_spaced(cards.GOOD.number),
        cancel=_link(session["cancel_url"], "Cancel and go back", "quiet"),
    )


def completed(account: Account, session: Json, success_url: str) -> str:
    amount = format_amount(session["amount_total"], session["currency"])
    if session["payment_status"] == "unpaid":
        text = f"Your bank was asked for {amount}. It may take some days until {account.merchant} receives it."
        return _notice(account, "paid", "On its way", text, success_url)
    text = f"{account.merchant} received {amount}. You can close this page."
    return _notice(account, "paid", "Paid", text, success_url)


def expired(account: Account, session: Json) -> str:
    text = "The time to pay is over, and nothing was charged. Start again from where you came."
    return _notice(account, "over", "This checkout has expired", text, session["cancel_url"])


def unknown(account: Account) -> str:
    return _notice(account, "over", "Nothing to pay here", "There is no checkout at this address.", None)


def _notice(account: Account, mood: str, title: str, text: str, back: str | None) -> str:
    return _render(
        "notice.html",
        account,
        title=title,
        mood=mood,
        text=text,
        back=_link(back, f"Back to {account.merchant}", "button"),
    )


def _render(name: str, account: Account, **values: str) -> str:
    """Values are plain text and get escaped, except those that are markup made here."""
    markup = {"items", "email", "alert", "cancel", "back"}
    safe = {key: value if key in markup else escape(value) for key, value in values.items()}
    look = (FOLDER / "look.css").read_text()
    initial = escape(account.merchant.strip()[:1].upper() or "?")
    return Template((FOLDER / name).read_text()).substitute(
        safe, look=look, merchant=escape(account.merchant), initial=initial
    )


def _item(item: Json) -> str:
    amount = format_amount(item["amount_total"], item["currency"])
    each = format_amount(item["price"]["unit_amount"], item["currency"])
    count = f'<span class="each">{item["quantity"]} × {escape(each)}</span>' if item["quantity"] > 1 else ""
    return f"<div><dt>{escape(item['description'])}{count}</dt><dd>{escape(amount)}</dd></div>"


def _email(email: str | None) -> str:
    return "" if email is None else f'<p class="email">For {escape(email)}</p>'


def _link(url: str | None, text: str, style: str) -> str:
    return "" if url is None else f'<a class="{style}" href="{escape(url)}">{escape(text)}</a>'


def _spaced(number: str) -> str:
    return " ".join(number[start : start + 4] for start in range(0, len(number), 4))
