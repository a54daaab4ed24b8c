"""Somebody who uses every group of addresses, again and again, and remembers what was acknowledged."""

import http.cookiejar
import itertools
import json
import re
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import stripe

from config.api.counting import PAUSE_SECONDS
from tests.stack.test_main_job import PASSWORD, fixtures
from tests.support.outages import Surrounded
from tests.support.running import Answer, Client, wait_for

WORKS, UNAVAILABLE, COME_AGAIN = "works", "503", "come again"
# Of a group that makes several for one answer.
CALLS = {"guesses": 6}


@dataclass
class Told:
    """How a group behaved: the word of the documentation for it, and the seconds that its calls took at most."""

    word: str
    seconds: float


@dataclass
class Acknowledged:
    """What the system said yes to: it may not be lost."""

    # What was picked last, before all this.
    before: list[str] = field(default_factory=list)
    picks: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    accounts: list[str] = field(default_factory=list)
    news: list[str] = field(default_factory=list)


class Visitor:
    """Player, staff and provider in one."""

    def __init__(self, system: Surrounded, folder: Path) -> None:
        self.system, self.numbers = system, itertools.count(1)
        self.anonymous = Client(system.base)
        self.secret = json.loads((system.home / "secrets.json").read_text())["STRIPE_WEBHOOK_SECRETS"]
        system.manage(
            "createsuperuser", "--noinput",
            DJANGO_SUPERUSER_EMAIL="boss@example.test", DJANGO_SUPERUSER_PASSWORD=PASSWORD,
        )  # fmt: skip
        kickoff = datetime.now(UTC).replace(microsecond=0) + timedelta(days=2)
        schedule = fixtures(folder / "fixtures.csv", kickoff, {})
        system.manage("import_schedule", str(schedule), "--competition", "epl-2031")
        self.pool, self.other = (self.make_pool(fee) for fee in (0, 5000))
        self.player, self.pair = self.enlist("ann@example.test")
        self.asker, _ = self.enlist("bob@example.test")
        boss, _ = self.sign_in("boss@example.test")
        self.entry = self.enter(boss)
        self.payable = self.player.post(f"/pools/{self.other}/requests", key=True).data["id"]
        assert boss.post(f"/requests/{self.payable}/approve", key=True).status == 200
        self.teams = [team["code"] for team in self.player.get("/competitions/epl-2031/teams").data]
        self.office = self.open_office()

    def make_pool(self, fee: int) -> int:
        said = self.system.manage(
            "create_pool", "--competition", "epl-2031", "--name", f"Pool for {fee}", "--fee-cents", str(fee)
        )
        return int(said.split()[-1])

    def enlist(self, email: str) -> tuple[Client, dict]:
        assert self.register(email).status == 201
        mail = wait_for(lambda: self.system.sink.to(email))[0]
        token = re.search(r"verify-email\?token=([\w:.\-]+)", mail.replace("=\r\n", "").replace("=3D", "="))[1]
        assert self.anonymous.post("/auth/verify-email", {"token": token}).status == 200
        return self.sign_in(email)

    def register(self, email: str) -> Answer:
        body = {
            "email": email, "password": PASSWORD, "display_name": email.partition("@")[0].title(),
            "date_of_birth": "1990-05-17", "country": "US",
        }  # fmt: skip
        return self.anonymous.post("/auth/register", body)

    def sign_in(self, email: str) -> tuple[Client, dict]:
        pair = self.anonymous.post("/auth/token", {"email": email, "password": PASSWORD}).data
        return Client(self.system.base, pair["access"]), pair

    def enter(self, boss: Client) -> int:
        request = self.player.post(f"/pools/{self.pool}/requests", key=True).data["id"]
        assert boss.post(f"/requests/{request}/approve", key=True).status == 200
        return wait_for(lambda: self.player.get(f"/requests/{request}").data["entry"])

    def open_office(self) -> urllib.request.OpenerDirector:
        """A browser of staff."""
        jar = http.cookiejar.CookieJar()
        browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(jar))
        page = browser.open(f"{self.system.base}/admin/login/", timeout=20).read().decode()
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        form = {"csrfmiddlewaretoken": token, "username": "boss@example.test", "password": PASSWORD}
        browser.open(f"{self.system.base}/admin/login/", urlencode(form).encode(), timeout=20)
        assert any(cookie.name == "outlast_staff" for cookie in jar)
        return browser

    def begin(self) -> None:
        """Anew for each outage: an access token lives ten minutes, and Redis is left alone for some seconds."""
        time.sleep(PAUSE_SECONDS)
        self.player, self.pair = self.sign_in("ann@example.test")
        self.asker, _ = self.sign_in("bob@example.test")
        self.acknowledged = Acknowledged(before=self.acknowledged.picks[-1:] if hasattr(self, "acknowledged") else [])

    # --- One call of each group -------------------------------------------------------------------------------------

    def reads(self) -> Answer:
        return self.player.get(f"/entries/{self.entry}/picks")

    def picks(self) -> Answer:
        team = self.teams[next(self.numbers) % len(self.teams)]
        answer = self.player.put(f"/entries/{self.entry}/picks/1", {"team": team})
        if answer.status == 200:
            self.acknowledged.picks.append(team)
        return answer

    def sign_ins(self) -> Answer:
        return self.anonymous.post("/auth/token", {"email": "bob@example.test", "password": PASSWORD})

    def refreshes(self) -> Answer:
        answer = self.anonymous.post("/auth/token/refresh", {"refresh": self.pair["refresh"]})
        if answer.status == 200:
            self.pair = answer.data
        return answer

    def registrations(self) -> Answer:
        email = f"new-{next(self.numbers)}@example.test"
        answer = self.register(email)
        if answer.status == 201:
            self.acknowledged.accounts.append(email)
        return answer

    def requests(self) -> Answer:
        """Asked, and withdrawn, so that the limit of one player is never reached."""
        answer = self.asker.post(f"/pools/{self.pool}/requests", key=True)
        if answer.status == 201:
            self.acknowledged.requests.append(answer.data["id"])
            return self.asker.post(f"/requests/{answer.data['id']}/withdraw", key=True)
        return answer

    def payments(self) -> Answer:
        return self.player.post(f"/requests/{self.payable}/payment", key=True)

    def webhooks(self) -> Answer:
        """Signed news of something that does not concern us."""
        name = f"evt_fault_{time.time_ns()}"
        event = {
            "id": name, "object": "event", "type": "customer.created", "livemode": False, "created": int(time.time()),
            "api_version": stripe.api_version, "data": {"object": {"id": "cus_1", "object": "customer"}},
        }  # fmt: skip
        raw = json.dumps(event)
        header = stripe.WebhookSignature.generate_signature_header(raw, self.secret, int(time.time()))
        answer = self.anonymous.call("POST", "/webhooks/stripe", event, Stripe_Signature=header)
        if answer.status == 200:
            self.acknowledged.news.append(name)
        return answer

    def back_office(self) -> Answer:
        try:
            with self.office.open(f"{self.system.base}/admin/entries/request/", timeout=20) as page:
                return Answer(page.status, dict(page.headers), page.read())
        except urllib.error.HTTPError as error:
            return Answer(error.code, dict(error.headers), error.read())

    def guesses(self) -> Answer:
        """Six wrong passwords for one address: five are tried, the sixth is refused unseen."""
        email = f"victim-{next(self.numbers)}@example.test"
        answers = [self.anonymous.post("/auth/token", {"email": email, "password": "wrong"}) for _ in range(6)]
        statuses = [answer.status for answer in answers]
        if statuses == [401] * 5 + [429]:
            return Answer(200, {}, b"")
        return answers[-1] if 503 in statuses else Answer(500, {}, repr(statuses).encode())

    def told(self, group: str) -> Told:
        """Ask twice: the first call may be the one that finds out."""
        words, seconds = [], []
        for _ in range(2):
            began = time.monotonic()
            answer = getattr(self, group.replace("-", "_").replace(" ", "_"))()
            seconds.append((time.monotonic() - began) / CALLS.get(group, 1))
            words.append(word_of(answer))
        return Told(words[0] if len(set(words)) == 1 else " then ".join(words), max(seconds))


def word_of(answer: Answer) -> str:
    """`works`, `503` with all that belongs to it, what a provider is told; else what came, which is in no table."""
    if 200 <= answer.status < 300:
        return WORKS
    if answer.status == 503 and "retry-after" in {name.lower() for name in answer.headers}:
        return UNAVAILABLE
    if answer.status == 500 and b"Send it again" in answer.body:
        return COME_AGAIN
    return f"{answer.status} {answer.body[:300]!r}"
