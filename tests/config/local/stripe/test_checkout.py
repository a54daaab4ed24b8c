"""The hosted page: what a person sees, what a script gets."""

import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser

import pytest

from tests.config.local.stripe.conftest import open_session
from tests.support.stripe_double import call

GOOD, DECLINED = "4242424242424242", "4000000000000002"


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None


def fetch(url, form=None):
    """(status, headers, text) without following redirects, as a browser would send it."""
    data = None if form is None else urllib.parse.urlencode(form).encode()
    try:
        with urllib.request.build_opener(Stay).open(url, data, timeout=10) as response:
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


class Outline(HTMLParser):
    def __init__(self, html):
        super().__init__()
        self.found = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


def test_page_shows_merchant_items_and_amount_with_three_ways_out(client):
    session = open_session(client, customer_email="maya@example.com")

    status, headers, html = fetch(session.url)
    outline = Outline(html)

    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    for shown in ("Outlast", "Sunday, entry 1", "$50.00", "USD", "maya@example.com", "Test mode"):
        assert shown in outline.text
    assert [form["action"] for form in outline.all("form")] == [f"/pay/{session.id}/pay"] * 2
    assert [field["value"] for field in outline.all("input")] == [GOOD, DECLINED]
    assert [link["href"] for link in outline.all("a")] == [session.cancel_url]


def test_page_fetches_nothing_and_runs_no_script(client):
    outline = Outline(fetch(open_session(client).url)[2])

    assert outline.all("script") == outline.all("img") == outline.all("iframe") == []
    assert [link["href"] for link in outline.all("link")] == ["data:,"]


def test_page_is_readable_by_a_screen_reader_and_on_a_phone(client, double):
    session = open_session(client)
    double.pay(session.url, DECLINED)
    outline = Outline(fetch(session.url)[2])

    assert outline.all("html") == [{"lang": "en"}]
    assert len(outline.all("main")) == len(outline.all("h1")) == 1
    assert {"name": "viewport", "content": "width=device-width, initial-scale=1"} in outline.all("meta")
    assert [p["role"] for p in outline.all("p") if "role" in p] == ["alert"]
    assert "Your card was declined. Nothing was charged." in outline.text


@pytest.mark.parametrize(
    ("currency", "amount", "shown"),
    [("jpy", 1500, "¥1,500"), ("kwd", 12340, "KWD 12.340"), ("eur", 123456, "€1,234.56")],
)
def test_amounts_are_shown_by_the_exponent_of_their_currency(client, currency, amount, shown):
    item = {
        "price_data": {"currency": currency, "unit_amount": amount, "product_data": {"name": "Entry"}},
        "quantity": 1,
    }

    assert shown in fetch(open_session(client, line_items=[item]).url)[2]


def test_what_the_merchant_writes_stays_text(client):
    product = {"name": '<script>alert(1)</script> & "more"'}
    item = {"price_data": {"currency": "usd", "unit_amount": 5000, "product_data": product}, "quantity": 2}
    html = fetch(open_session(client, line_items=[item], cancel_url="http://127.0.0.1/?a='x'&b=%22").url)[2]

    assert "<script" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; &quot;more&quot;" in html
    assert 'href="http://127.0.0.1/?a=&#x27;x&#x27;&amp;b=%22"' in html


def test_page_without_a_cancel_address_has_no_cancel_link(client):
    assert Outline(fetch(open_session(client, cancel_url=None).url)[2]).all("a") == []


def test_paying_on_the_page_leads_to_the_success_address(client):
    session = open_session(client)

    status, headers, _ = fetch(f"{session.url}/pay", {"card": GOOD})

    assert (status, headers["Location"]) == (303, f"http://127.0.0.1:8000/return?session={session.id}")
    assert client.v1.checkout.sessions.retrieve(session.id).payment_status == "paid"
    status, _, html = fetch(session.url)
    assert status == 200
    assert "Outlast received $50.00." in html
    assert Outline(html).all("form") == []


def test_pressing_pay_twice_leads_to_the_success_address_twice_and_charges_once(client):
    session = open_session(client)

    first, second = (fetch(f"{session.url}/pay", {"card": GOOD})[1]["Location"] for _ in range(2))

    assert first == second == f"http://127.0.0.1:8000/return?session={session.id}"
    assert len(client.v1.charges.list().data) == 1


@pytest.mark.parametrize("form", [{"card": DECLINED}, {"card": "1"}, {}])
def test_card_that_does_not_pay_leads_back_to_the_page(client, form):
    session = open_session(client)

    status, headers, _ = fetch(f"{session.url}/pay", form)

    assert (status, headers["Location"]) == (303, f"/pay/{session.id}")
    assert fetch(session.url)[0] == 200


def test_expired_and_unknown_sessions_have_a_page_that_says_so(client, double):
    session = open_session(client)
    client.v1.checkout.sessions.expire(session.id)

    status, _, html = fetch(session.url)
    assert status == 410
    assert "has expired" in html
    assert session.cancel_url in html
    status, _, html = fetch(f"{double.base_url}/pay/cs_test_none")
    assert status == 404
    assert "Nothing to pay here" in html


def test_script_gets_the_paid_session(client, double):
    session = open_session(client)

    status, body = double.pay(session.url)

    assert status == 200
    assert (body["id"], body["status"], body["payment_status"]) == (session.id, "complete", "paid")
    assert (body["amount_total"], body["currency"], body["charged"]) == (5000, "usd", True)
    assert body["success_url"] == f"http://127.0.0.1:8000/return?session={session.id}"


def test_numbers_may_be_written_in_groups(client, double):
    assert double.pay(open_session(client).url, "4242 4242 4242 4242")[0] == 200


def test_any_other_number_is_incorrect_and_leaves_nothing_behind(client, double):
    status, body = double.pay(open_session(client).url, "4111111111111111")

    assert (status, body["error"]["code"]) == (402, "incorrect_number")
    assert set(double.state()["objects"]) == {"checkout.session"}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{card", "json_invalid"),
        (b"\xff\xfe", "json_invalid"),
        (b"", "json_invalid"),
        (b"[]", "parameter_missing"),
        (b"{}", "parameter_missing"),
        (b'{"card": 4242424242424242}', None),
    ],
)
def test_bodies_that_are_no_card_are_malformed(client, double, body, code):
    status, answer = call("POST", f"{open_session(client).url}/pay", body)

    assert (status, answer["error"].get("code")) == (400, code)


def test_wrong_methods_and_addresses_are_refused(client, double):
    session = open_session(client)

    assert call("GET", f"{session.url}/pay")[0] == 405
    assert call("POST", session.url, {})[0] == 405
    assert call("POST", f"{session.url}/elsewhere", {})[0] == 404
