"""What leaves for Sentry carries nothing that belongs to a person: a crash full of canaries, as it would be sent."""

import gzip
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import sentry_sdk
from django.db import Error, connection, transaction
from sentry_sdk.transport import Transport

from config import reporting
from config.tracing import begin
from tests.factories.accounts import UserFactory

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
    real(dsn=None, default_integrations=False)


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
    assert event["tags"] == {"request_id": "-", "trace_id": ""}


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
    assert json.loads(sent.splitlines()[2])["tags"]["request_id"] == "abc-123"


class Envelopes(BaseHTTPRequestHandler):
    """As much of Sentry's server as its client needs."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        is_packed = self.headers.get("Content-Encoding") == "gzip"
        self.server.received.append((gzip.decompress(body) if is_packed else body).decode())
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


@pytest.fixture
def server(settings):
    """The real client, with its own transport, to a server on this machine."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Envelopes) as listening:
        listening.received = []
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        settings.SENTRY_DSN = f"http://publickey@127.0.0.1:{listening.server_port}/7"
        settings.OUTLAST_RELEASE = "release-17"
        reporting.start()
        yield listening
        sentry_sdk.init(dsn=None, default_integrations=False)
        listening.shutdown()


def received(server):
    sentry_sdk.flush(timeout=10)
    (envelope,) = server.received
    found = [canary for canary in CANARIES if canary in envelope]
    assert found == []
    return json.loads(envelope.splitlines()[2])


@pytest.mark.django_db
class TestTheRealClient:
    TRACE = f"00-{'a' * 32}-{'b' * 16}-01"

    def test_what_arrives_of_a_crash_in_a_view(self, server, client, settings):
        settings.ROOT_URLCONF = "tests.config.api.sample"
        client.raise_request_exception = False
        body = json.dumps(dict(zip("abcdef", CANARIES, strict=True)))
        answer = client.generic(
            "GET",
            f"/api/v1/sample/raise/crash?email={CANARIES[0]}&card={CANARIES[1]}",
            body,
            content_type="application/json",
            headers={
                "X-Request-ID": "req-17",
                "traceparent": self.TRACE,
                "Authorization": f"Token {CANARIES[5]}",
                "Cookie": f"session={CANARIES[4]}",
                "User-Agent": CANARIES[2],
                "Referer": f"https://example.org/{CANARIES[3]}",
            },
        )
        assert answer.status_code in (401, 500)
        event = received(server)
        assert event["tags"] == {"request_id": "req-17", "trace_id": "a" * 32}
        assert (event["release"], event["environment"]) == ("release-17", "test")
        assert event["transaction"].startswith("api/v1/sample/raise/")
        assert set(event) <= reporting.ALLOWED | {"tags"}
        assert event["contexts"]["trace"]["trace_id"] == "a" * 32
        frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
        assert {name for frame in frames for name in frame} <= reporting.FRAME_KEYS

    @pytest.mark.parametrize(
        ("sql", "kind"),
        [
            ("SELECT %s::integer", "DataError"),
            ("SELECT %s::date + 'x'::text FROM nowhere", "ProgrammingError"),
            (
                "DO $$ BEGIN RAISE EXCEPTION 'refused' USING DETAIL = 'Key (email)=(' || %s || ')'; END $$",
                "RaiseException",
            ),
        ],
    )
    @pytest.mark.parametrize("canary", CANARIES)
    def test_values_of_statements_stay_here(self, server, sql, kind, canary):
        with begin(request_id="req-18", route="outbox/mail"):
            try:
                with transaction.atomic(), connection.cursor() as cursor:
                    cursor.execute(sql, [canary])
            except Error as error:
                sentry_sdk.capture_exception(error)
        event = received(server)
        assert kind in [one["type"] for one in event["exception"]["values"]]
        assert event["transaction"] == "outbox/mail"

    def test_a_duplicate_row_is_not_quoted(self, server):
        UserFactory(email=CANARIES[0])
        with begin(request_id="req-19"):
            try:
                with transaction.atomic():
                    UserFactory(email=CANARIES[0])
            except Error as error:
                sentry_sdk.capture_exception(error)
        assert received(server)["exception"]["values"][-1]["type"] == "IntegrityError"


def test_without_an_address_nothing_is_started(settings, monkeypatch):
    settings.SENTRY_DSN = ""
    monkeypatch.setattr(sentry_sdk, "init", pytest.fail)
    reporting.start()
