"""What leaves for Sentry carries nothing that belongs to a person: a crash full of canaries, as it would be sent."""

import json

import pytest
import sentry_sdk
from sentry_sdk.transport import Transport

from config import reporting

CANARIES = [
    "ann@example.com",
    "4242424242424242",
    "DE89370400440532013000",
    "1990-01-01",
    "secret-password",
    "eyJhbGci",
]


class Postbox(Transport):
    """Keeps what would be sent."""

    sent: list[str] = []

    def capture_envelope(self, envelope):
        self.sent.append(envelope.serialize().decode())


@pytest.fixture
def sentry(settings, monkeypatch):
    settings.SENTRY_DSN = "https://key@sentry.example.com/1"
    Postbox.sent = []
    real = sentry_sdk.init
    monkeypatch.setattr(sentry_sdk, "init", lambda **options: real(**options, transport=Postbox))
    reporting.start()
    yield Postbox
    real(dsn=None)


def crash_with(person):
    card = person["card"]
    raise ValueError(f"Key (email)=({person['email']}) of {card} already exists")


def test_a_crash_is_reported_without_its_canaries(sentry):
    person = dict(zip(("email", "card", "iban", "born", "password", "refresh"), CANARIES, strict=True))
    sentry_sdk.set_user({"email": CANARIES[0], "id": 7})
    sentry_sdk.set_tag("card", CANARIES[1])
    sentry_sdk.set_extra("iban", CANARIES[2])
    sentry_sdk.add_breadcrumb(message=CANARIES[3])
    try:
        crash_with(person)
    except ValueError as error:
        sentry_sdk.capture_exception(error)
    sentry_sdk.flush()
    (sent,) = sentry.sent
    assert [canary for canary in CANARIES if canary in sent] == []
    event = json.loads(sent.splitlines()[2])
    assert event["exception"]["values"][-1]["type"] == "ValueError"
    assert event["exception"]["values"][-1]["stacktrace"]["frames"][-1]["function"] == "crash_with"
    assert event["tags"] == {"request_id": "-"}


@pytest.mark.django_db
def test_a_crash_in_a_view_is_reported_with_its_request_id(sentry, client, settings):
    settings.ROOT_URLCONF = "tests.config.api.sample"
    client.raise_request_exception = False
    answer = client.get(
        "/api/v1/sample/raise/crash?email=ann@example.com",
        headers={"X-Request-ID": "abc-123", "Authorization": "", "Cookie": "session=secret-password"},
    )
    assert answer.status_code == 500
    sentry_sdk.flush()
    (sent,) = sentry.sent
    assert [canary for canary in CANARIES if canary in sent] == []
    assert json.loads(sent.splitlines()[2])["tags"] == {"request_id": "abc-123"}


def test_without_an_address_nothing_is_started(settings, monkeypatch):
    settings.SENTRY_DSN = ""
    monkeypatch.setattr(sentry_sdk, "init", pytest.fail)
    reporting.start()
