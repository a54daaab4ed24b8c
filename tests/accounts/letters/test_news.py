"""Mail through a provider, and what it says later: its own news alone, in any order, as often as they come."""

import hashlib
import hmac
import json
import threading
from base64 import b64encode
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from accounts.models import Letter, UnreachableAddress, User
from accounts.services.letters.sending import send_due
from tests.accounts.letters.test_sending import greeting, letter
from tests.support.letters import fates

__all__ = ["greeting"]
pytestmark = pytest.mark.django_db
SECRET = "postmark:a-password-agreed-upon"
POSTMARK = {"Delivery": "Recipient", "Bounce": "Email", "SpamComplaint": "Email"}


@pytest.fixture
def postmark(settings):
    settings.MAIL_PROVIDER = "postmark"
    settings.EMAIL_WEBHOOK_SECRET = SECRET
    settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET, "POSTMARK_SERVER_TOKEN": "a-token"}


def tell(client, one, kind, *, to=None, secret=SECRET, **more):
    """What Postmark posts."""
    news = {"RecordType": kind, "ID": 1, "MessageID": "b7bc2f4a", "Metadata": {"letter": str(one.pk)}, **more}
    news[POSTMARK[kind]] = to or one.user.email
    proof = b64encode(secret.encode()).decode()
    return client.post(
        "/mail/events", json.dumps(news), content_type="application/json", headers={"Authorization": f"Basic {proof}"}
    ).status_code


def test_news_are_noted_twice_is_as_good_as_once(client, postmark):
    one = letter(status="sent")
    for _ in range(2):
        assert tell(client, one, "Delivery", DeliveredAt="2026-11-05T16:33:54Z") == 200
    assert fates(one.user) == ["delivered"]
    assert tell(client, one, "SpamComplaint", Type="SpamComplaint") == 200
    assert tell(client, one, "Delivery") == 200
    assert fates(one.user) == ["complained"]
    assert UnreachableAddress.objects.get().user == one.user


def test_a_bounce_ends_writing_to_the_address_it_is_of(client, postmark):
    one, moved = letter(status="sent"), letter(status="sent")
    before = moved.user.email
    User.objects.filter(pk=moved.user_id).update(email="new@example.test")
    for each, to in ((one, None), (moved, before)):
        assert tell(client, each, "Bounce", Type="HardBounce", to=to) == 200
    assert list(UnreachableAddress.objects.values_list("user", flat=True)) == [one.user_id]
    assert fates(moved.user) == ["bounced"]


def test_a_mailbox_that_is_full_is_no_bounce(client, postmark):
    one = letter(status="sent")
    assert tell(client, one, "Bounce", Type="Transient") == 200
    assert (fates(one.user), UnreachableAddress.objects.exists()) == (["sent"], False)


def test_who_cannot_prove_it_is_not_believed(client, postmark, settings):
    one = letter(status="sent")
    for secret in ("", "postmark:guessed", SECRET[:-1]):
        assert tell(client, one, "Bounce", Type="HardBounce", secret=secret) == 400
    assert client.get("/mail/events").status_code == 405
    settings.EMAIL_WEBHOOK_SECRET = ""
    assert tell(client, one, "Bounce", Type="HardBounce") == 404
    settings.EMAIL_WEBHOOK_SECRET, settings.MAIL_PROVIDER = SECRET, ""
    assert tell(client, one, "Bounce", Type="HardBounce") == 404
    assert fates(one.user) == ["sent"]


def test_news_of_what_is_no_letter_are_passed_over(client, postmark):
    one = letter(status="sent")
    for about in ({}, {"letter": "99999"}, {"letter": "1 OR 1"}, {"letter": "9" * 40}):
        assert tell(client, one, "Bounce", Type="HardBounce", Metadata=about) == 200
    assert fates(one.user) == ["sent"]


def test_mailgun_signs_each_of_its_news(client, settings):
    settings.MAIL_PROVIDER, settings.EMAIL_WEBHOOK_SECRET = "mailgun", "signing-key"
    settings.ANYMAIL = {"MAILGUN_API_KEY": "key", "MAILGUN_WEBHOOK_SIGNING_KEY": "signing-key"}
    one = letter(status="sent")
    what = {
        "event": "failed", "severity": "permanent", "id": "e1", "timestamp": 1795000000, "recipient": one.user.email,
        "user-variables": {"letter": str(one.pk)}, "message": {"headers": {"message-id": "x"}},
    }  # fmt: skip
    for key, status, fate in (("another-key", 400, "sent"), ("signing-key", 200, "bounced")):
        signature = hmac.new(key.encode(), b"1795000000t", hashlib.sha256).hexdigest()
        body = {"signature": {"token": "t", "timestamp": "1795000000", "signature": signature}, "event-data": what}
        answer = client.post("/mail/events", json.dumps(body), content_type="application/json")
        assert (answer.status_code, fates(one.user)) == (status, [fate])


class Postmark(BaseHTTPRequestHandler):
    """Takes mails, and says by which name it knows them."""

    taken: list = []

    def do_POST(self):
        said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.taken.append(said)
        bad = said["To"].startswith("gone@")
        refusal = "Found inactive addresses: gone@example.test. Inactive recipients are ones that bounced."
        answer = {"ErrorCode": 406 if bad else 0, "Message": refusal if bad else "OK", "To": said["To"]}
        body = json.dumps(answer if bad else answer | {"MessageID": "b7bc2f4a"}).encode()
        self.send_response(422 if bad else 200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def server(settings, postmark):
    Postmark.taken = []
    with HTTPServer(("127.0.0.1", 0), Postmark) as made:
        threading.Thread(target=made.serve_forever, daemon=True).start()
        settings.EMAIL_BACKEND = "anymail.backends.postmark.EmailBackend"
        settings.ANYMAIL |= {"POSTMARK_API_URL": f"http://127.0.0.1:{made.server_port}/"}
        yield
        made.shutdown()


def test_a_letter_goes_out_with_its_number_and_comes_back_by_the_providers_name(server, client):
    one = letter()
    send_due()
    (taken,) = Postmark.taken
    headers = {header["Name"]: header["Value"] for header in taken["Headers"]}
    assert taken["Metadata"] == {"letter": str(one.pk)}
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one.refresh_from_db()
    assert (one.status, one.provider_id) == ("sent", "b7bc2f4a")
    tell(client, one, "Delivery", Metadata={})
    assert fates(one.user) == ["delivered"]


def test_an_address_that_the_provider_refuses_is_not_written_to_again(server):
    gone, other = letter(User.objects.create(email="gone@example.test", display_name="G")), letter()
    send_due()
    assert (fates(gone.user), fates(other.user)) == (["bounced"], ["sent"])
    assert Letter.objects.filter(status="failed").count() == 0
    assert UnreachableAddress.objects.get().user == gone.user
