"""The Stripe double as a real process, for tests that pay.

with DoubleProcess(home=tmp_path, webhook_url=url) as double:
    client = StripeClient("sk_test_any", base_addresses={"api": double.base_url}, max_network_retries=2)
    double.fault(action="drop_after", method="POST", path="/v1/checkout/sessions")
    double.pay(session.url)
"""

import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SECRET = "whsec_of_the_double"
READY = "Stripe double on "


class DoubleProcess:
    """Starts on a free port, and keeps port and home over `restart()`. Stopped at the end, killed if it will not."""

    def __init__(self, home=None, *, webhook_url=None, secret=SECRET, secret_key=None, port=0):
        self.home = None if home is None else Path(home)
        self.webhook_url = webhook_url
        self.secret = secret
        self.secret_key = secret_key
        self.port = port
        self.base_url = ""
        self._process = None

    def start(self, webhook_url=None, secret=None, home=None):
        """Answers the base address once the double answers there. What is given replaces what it was made with."""
        self.webhook_url = webhook_url or self.webhook_url
        self.secret = secret or self.secret
        self.home = Path(home or self.home)
        self.home.mkdir(parents=True, exist_ok=True)
        with (self.home / "stripe-double.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command(), cwd=ROOT, env=self._environment(), stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self._process.stdout.readline()
        if not line.startswith(READY):
            self.kill()
            raise RuntimeError(f"The Stripe double did not start: {self.log()[-2000:]}")
        self.base_url = line.removeprefix(READY).strip()
        self.port = int(self.base_url.rpartition(":")[2])
        return self.base_url

    def _command(self):
        command = [sys.executable, "-m", "config.local.stripe", "--port", str(self.port), "--home", str(self.home)]
        return command if self.webhook_url is None else [*command, "--webhook-url", self.webhook_url]

    def _environment(self):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STRIPE_")}
        given = {"STRIPE_WEBHOOK_SECRETS": self.secret, "STRIPE_SECRET_KEY": self.secret_key or ""}
        return {**inherited, **given, "PYTHONUNBUFFERED": "1"}

    def stop(self):
        """SIGTERM; answers the exit code."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """kill -9, as a power switch would."""
        return self._end(signal.SIGKILL)

    def restart(self):
        self.stop()
        return self.start()

    def _end(self, number):
        if self._process is None:
            return None
        self._process.send_signal(number)
        try:
            code = self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise
        self._process.stdout.close()
        self._process = None
        return code

    def log(self):
        return (self.home / "stripe-double.log").read_text()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exception):
        self.stop()

    # What a customer and a tester do.

    def pay(self, checkout_url, card="4242424242424242"):
        """(status, body) of paying a hosted page by script."""
        return call("POST", f"{checkout_url}/pay", {"card": card})

    def control(self, method, path, /, **body):
        """One control request; a refusal raises AssertionError."""
        status, answer = call(method, f"{self.base_url}/_double{path}", body or None)
        assert status == 200, (status, answer)
        return answer

    def fault(self, **rule):
        return self.control("POST", "/faults", **rule)

    # What banks and people at the Dashboard do. A target is charge="ch_…", payment_intent="pi_…" or session="cs_…".

    def dispute(self, amount=None, *, reason="fraudulent", inquiry=False, **target):
        """Opens a dispute, or an inquiry that may become one; answers it."""
        return self.control("POST", "/disputes", **target, amount=amount, reason=reason, inquiry=inquiry)

    def move_dispute(self, id, status, *, fee_returned=False):
        return self.control("POST", "/disputes/move", id=id, status=status, fee_returned=fee_returned)

    def dashboard_refund(self, amount=None, *, metadata=None, **target):
        """A refund that somebody else made; answers it."""
        return self.control("POST", "/refunds", **target, amount=amount, metadata=metadata or {})

    def next_refunds(self, status="pending", *, pending_reason=None, times=1):
        """The next refunds to be made, by whomever, have this status."""
        return self.control("POST", "/refunds/next", status=status, pending_reason=pending_reason, times=times)

    def move_refund(self, id, status, *, failure_reason=None):
        return self.control("POST", "/refunds/move", id=id, status=status, failure_reason=failure_reason)

    def pay_delayed(self, session):
        """The customer pays by bank debit, whatever the session offers; answers the session."""
        return self.control("POST", "/delayed", session=session)

    def settle_delayed(self, session, outcome="succeeded", *, failure_code="insufficient_funds"):
        return self.control("POST", "/delayed/settle", session=session, outcome=outcome, failure_code=failure_code)

    def return_debit(self, kind="dispute", *, failure_code="insufficient_funds", **target):
        """The bank takes back a debit that had succeeded; answers the lost dispute or the failed charge."""
        return self.control("POST", "/returns", **target, **{"as": kind}, failure_code=failure_code)

    def pay_otherwise(self, session, *, amount=None, currency=None, metadata=None, presentment=None):
        """Pays an open session on other terms than it asked for; answers the three ids."""
        terms = {"amount": amount, "currency": currency, "metadata": metadata, "presentment": presentment}
        return self.control("POST", "/charges", session=session, **terms)

    def foreign_charge(self, amount=5000, currency="usd", *, metadata=None, checkout=False):
        """A payment of some other product on the account; answers the three ids."""
        return self.control(
            "POST", "/charges", amount=amount, currency=currency, metadata=metadata or {}, checkout=checkout
        )

    def settle_next_in(self, currency, rate, *, times=1):
        """The next charges settle in this currency: 1 minor unit of theirs is `rate` of it."""
        return self.control("POST", "/settlement", currency=currency, rate=rate, times=times)

    def run_payouts(self, currency=None):
        """Pays out everything available, as the account's schedule does; answers the payouts."""
        return self.control("POST", "/payouts/run", currency=currency)["payouts"]

    def move_payout(self, id, status, *, failure_code=None):
        return self.control("POST", "/payouts/move", id=id, status=status, failure_code=failure_code)

    def reconcile_payout(self, id):
        return self.control("POST", "/payouts/reconcile", id=id)

    def fund(self, amount, currency="usd"):
        """Money of some other product of the account, available at once."""
        ids = self.foreign_charge(amount, currency)
        self.advance(4 * 86_400)
        return ids

    def reverse_transfer(self, id, amount=None):
        """Somebody takes a transfer back at the Dashboard, or a part of it; answers it."""
        return self.control("POST", "/transfers/reverse", id=id, amount=amount)

    def thin(self, secret, *, url=None, style="both"):
        """From now on events are sent in thin form too ("both"), or in that form alone ("thin")."""
        address = {} if url is None else {"thin_url": url}
        return self.control("POST", "/endpoint", style=style, thin_secret=secret, **address)

    def announce(self, event_type, object_id):
        """An event of any type, known to Stripe or not, about an object as it now is."""
        return self.control("POST", "/events", type=event_type, object=object_id)

    def admit_missed(self, event_type, object_id):
        """The health alert about an event that never came into being; needs an endpoint for thin events."""
        return self.control("POST", "/events/missed", event_type=event_type, object=object_id)

    def books(self):
        """The double's truth about money: {"currencies": {…}, "charges": […]}."""
        return self.control("GET", "/books")

    def advance(self, seconds):
        return self.control("POST", "/clock", advance=seconds)

    def drain(self, timeout=10):
        """Waits until every webhook that is due was tried; True when none is left."""
        return self.control("POST", "/webhooks/drain", timeout=timeout)["unsettled"] == 0

    def state(self):
        return self.control("GET", "/state")

    def reset(self):
        return self.control("POST", "/reset")


def call(method, url, body=None, headers=None):
    """(status, decoded JSON) over plain HTTP; error statuses do not raise."""
    data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)
