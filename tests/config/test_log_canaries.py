"""Secrets are sent through every kind of door; the log, at its most talkative, has none of them."""

import io
import json
import logging

import pytest

from accounts.services.sessions import sign_in
from config.logging import JsonLines, ReadableFormatter, RequestContext
from tests.factories.accounts import PASSWORD, UserFactory
from tests.support.payments import SECRET, post_event

pytestmark = pytest.mark.django_db(transaction=True)

EMAIL, SENT = "canary.bird@example.com", "Canary-Pass-Word-4711"
CARD, IBAN, TOKEN = "4242424242424242", "DE89370400440532013000", "canarytokencanarytoken4711"
CANARIES = (EMAIL, SENT, CARD, IBAN, TOKEN, PASSWORD)


@pytest.fixture(params=[JsonLines, ReadableFormatter])
def written(request):
    """Everything that is logged, by whomever, at every level that production may be set to."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RequestContext())
    handler.setFormatter(request.param("%(levelname)s %(name)s %(request_id)s %(trace_id)s %(message)s"))
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield stream.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


def send_everything(client, settings):
    settings.STRIPE_WEBHOOK_SECRETS = [SECRET]
    client.raise_request_exception = False
    person = {"email": EMAIL, "password": SENT, "display_name": IBAN, "date_of_birth": "1990-01-01", "country": "US"}
    post = {"content_type": "application/json"}
    client.post("/api/v1/auth/register", person, **post)
    client.post("/api/v1/auth/token", {"email": EMAIL, "password": SENT + "x"}, **post)
    client.post("/api/v1/auth/token", b'{"email": "%s", "password": ' % EMAIL.encode(), **post)
    client.post("/api/v1/auth/token/refresh", {"refresh": TOKEN}, **post)
    client.post("/api/v1/auth/password/reset/confirm", {"token": TOKEN, "password": SENT}, **post)
    for path in ("/reset-password", "/verify-email", "/confirm-email", "/nothing"):
        client.get(path, {"token": TOKEN, "email": EMAIL})
    for path in (f"/api/v1/people/{EMAIL}", f"/{TOKEN}", f"/admin/{TOKEN}/", f"/api/v1/pools/{IBAN}"):
        client.get(path)
    client.get("/api/v1/me", headers={"Authorization": f"Bearer {TOKEN}", "Cookie": f"outlast_staff={TOKEN}"})
    client.get("/api/v1/me", headers={"Authorization": f"Api-Key {TOKEN}", "Idempotency-Key": TOKEN})
    client.get("/api/v1/pools", headers={"Referer": f"https://x.test/?{TOKEN}", "User-Agent": EMAIL})
    client.get("/api/v1/pools", headers={"X-Request-ID": f"{EMAIL} {CARD}", "traceparent": TOKEN})
    client.post("/admin/login/", {"username": EMAIL, "password": SENT})
    client.post("/api/v1/webhooks/stripe", {"card": CARD, "iban": IBAN}, **post)
    data = {"object": {"id": "cs_1", "object": "checkout.session", "card": CARD, "email": EMAIL}}
    post_event({"id": "evt_canary", "object": "event", "type": "x", "livemode": False, "data": data})
    client.post("/graphql", {"query": f'{{ pools(search: "{IBAN}") {{ items {{ id }} }} }}'}, **post)


def test_none_of_them_is_in_the_log(client, settings, written):
    send_everything(client, settings)
    user = UserFactory(password=PASSWORD)
    pair = sign_in(email=user.email, password=PASSWORD).pair
    client.get("/api/v1/me", headers={"Authorization": f"Bearer {pair.access}"})
    lines = written()
    assert [canary for canary in (*CANARIES, pair.access, pair.refresh, user.email) if canary in lines] == []
    assert lines.count("outlast.request") >= 20


def test_a_stranger_cannot_write_lines_of_their_own(client, written):
    client.get("/api/v1/x%0a%0dCRITICAL%20forged%1b[31m", headers={"User-Agent": "a\tb", "X-Request-ID": "a" * 200})
    lines = [line for line in written().splitlines() if "outlast.request" in line]
    assert len(lines) == 1
    assert "forged" not in written()
    assert "\x1b" not in written()
    if lines[0].startswith("{"):
        assert json.loads(lines[0])["route"] == "unmatched"
