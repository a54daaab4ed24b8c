"""The double as a real process, a receiver for its webhooks, and the official client."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import stripe

from tests.support.stripe_double import SECRET, DoubleProcess

KEY = "sk_test_of_this_test"
# What a paid session announces, in this order.
PAID = ["payment_intent.created", "charge.succeeded", "payment_intent.succeeded", "checkout.session.completed"]


class Receiver:
    """Stands where the product's webhook view stands; `answers` are given in turn, then 200."""

    def __init__(self):
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                with receiver.lock:
                    receiver.received.append((self.path, dict(self.headers), body))
                    status = receiver.answers.pop(0) if receiver.answers else 200
                time.sleep(receiver.slowness)
                self.send_response(status)
                if 300 <= status < 400:
                    self.send_header("Location", f"{receiver.url}/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *arguments):
                pass

        class Server(ThreadingHTTPServer):
            request_queue_size = 128

        self.lock = threading.Lock()
        self.received = []
        self.answers = []
        self.slowness = 0.0
        self.server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/hooks?from=double"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    @property
    def events(self):
        return [json.loads(body) for _, _, body in self.received]

    @property
    def types(self):
        return [event["type"] for event in self.events]

    def wait_for(self, count, seconds=10):
        """Whether that many arrived in time."""
        deadline = time.monotonic() + seconds
        while len(self.received) < count and time.monotonic() < deadline:
            time.sleep(0.02)
        return len(self.received) >= count

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture(scope="session")
def shared_double(tmp_path_factory):
    with DoubleProcess(tmp_path_factory.mktemp("double")) as double:
        yield double


@pytest.fixture
def double(shared_double):
    """A double that remembers nothing and sends nothing."""
    shared_double.reset()
    return shared_double


@pytest.fixture
def hooked(tmp_path, receiver):
    """A double of its own that sends to the receiver."""
    with DoubleProcess(tmp_path, webhook_url=receiver.url, secret=SECRET) as double:
        yield double


def client_of(double, *, retries=0, key=KEY, timeout=20):
    return stripe.StripeClient(
        key,
        base_addresses={"api": double.base_url},
        max_network_retries=retries,
        http_client=stripe.RequestsClient(timeout=timeout),
    )


@pytest.fixture
def client(double):
    return client_of(double)


def session_params(**changes):
    return {
        "mode": "payment",
        "line_items": [
            {
                "price_data": {
                    "currency": "usd",
                    "unit_amount": 5000,
                    "product_data": {"name": "Sunday, entry 1"},
                },
                "quantity": 1,
            }
        ],
        "success_url": "http://127.0.0.1:8000/return?session={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://127.0.0.1:8000/cancelled",
        "client_reference_id": "payment-7",
        "metadata": {"ref": "7", "env": "test"},
        "payment_intent_data": {"metadata": {"ref": "7", "kind": "entry"}},
        **changes,
    }


def open_session(client, *, key=None, **changes):
    options = {"idempotency_key": key} if key else {}
    return client.v1.checkout.sessions.create(params=session_params(**changes), options=options)


def paid_session(double, client, **changes):
    session = open_session(client, **changes)
    status, _ = double.pay(session.url)
    assert status == 200
    return client.v1.checkout.sessions.retrieve(session.id, params={"expand": ["payment_intent.latest_charge"]})


def undelivered(client):
    return [event.type for event in client.v1.events.list(params={"delivery_success": False}).data]


def delivery_states(double):
    return [delivery["state"] for delivery in double.control("GET", "/webhooks")["deliveries"]]
