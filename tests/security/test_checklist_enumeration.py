"""Row 10: an answer tells nobody who has an account, nor does the work behind it, the counters, or how long it takes.

Row 10's medians are compared among the slow tests. What everybody runs compares what takes the time: the statements and
the hashes.
"""

import re
import statistics
import time
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher, make_password
from django.db import connection
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from accounts.services import sessions
from accounts.services.sessions import InvalidCredentials
from accounts.services.tokens import AccessClaims
from config.models import OutboxMessage
from tests.factories.accounts import PASSWORD, ModeratorFactory, UserFactory
from tests.support.calls import new_place
from tests.support.devices import give_device
from tests.support.hashing import make_quick

pytestmark = pytest.mark.django_db
NOBODY = "nobody-at-all@example.test"
# Of the moment, not of the person.
OF_THE_MOMENT = ("X-Request-ID", "traceparent", "X-RateLimit-Reset", "Retry-After", "Date", "Expires")


@pytest.fixture
def quick(monkeypatch):
    """A hash costs nothing."""
    make_quick(monkeypatch)


class Work:
    """The statements of a call, without what they are about, and how often a password was hashed."""

    def __init__(self, monkeypatch) -> None:
        self.done: list[str] = []
        for name in ("verify", "encode"):
            whole = getattr(Argon2PasswordHasher, name)
            monkeypatch.setattr(
                Argon2PasswordHasher, name, lambda *given, whole=whole: self.done.append("hash") or whole(*given)
            )

    def of(self, call) -> list[str]:
        self.done.clear()
        with connection.execute_wrapper(self):
            call()
        return list(self.done)

    def __call__(self, execute, sql, params, many, context):
        # Of the moment: the request that asks, said behind the statement.
        plain = re.sub(r"\s*/\*.*\*/$", "", str(sql))
        self.done.append(re.sub(r"\s+", " ", re.sub(r'"s\d+_x\d+"', "savepoint", plain)))
        return execute(sql, params, many, context)


def told(answer, email="") -> tuple[int, dict[str, str], object]:
    """Everything that a caller sees, but for the address that they gave."""
    headers = {name: value for name, value in answer.headers.items() if name not in OF_THE_MOMENT}
    if "json" in answer.get("Content-Type", ""):
        body = answer.json()
        del body["meta"]["timestamp"], body["meta"]["request_id"]
        if body["error"] and "retry_after" in body["error"]["details"]:
            # How many seconds are left, also in words: their number is as long as it is.
            del body["error"]["details"]["retry_after"], headers["Content-Length"]
            body["error"]["message"] = re.sub(r"\d+ s", "", body["error"]["message"])
    elif answer.content:
        # A page shows them what they typed, and draws the rest anew each time.
        body = re.sub(r'(csrfmiddlewaretoken" value|nonce)="[^"]*"', "", answer.content.decode().replace(email, ""))
        headers["Content-Security-Policy"] = re.sub(r"nonce-[^']+", "", headers["Content-Security-Policy"])
        del headers["Content-Length"]
    else:
        body = None
    return answer.status_code, {**headers, "cookies": " ".join(answer.cookies)}, body


def post(path, body, *, user=None, address=""):
    """A call that has not been made yet."""
    client = APIClient(REMOTE_ADDR=address or new_place())
    if user is not None:
        client.force_authenticate(
            user, AccessClaims(user.pk, uuid4(), user.token_version, datetime.max.replace(tzinfo=UTC))
        )
    return lambda: client.post(f"/api/v1{path}", body, format="json")


def signing_in(email):
    return post("/auth/token", {"email": email, "password": "wrong"})


def resetting(email):
    return post("/auth/password/reset", {"email": email})


def verifying_again(email):
    return post("/auth/verify-email/resend", {"email": email})


def moving_to(email):
    """Somebody who is signed in asks for this address."""
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    return post("/me/email", {"email": email, "password": PASSWORD}, user=user)


def entering_the_back_office(email):
    client = Client(REMOTE_ADDR=new_place())
    return lambda: client.post("/admin/login/", {"username": email, "password": "wrong"})


def people() -> dict[str, str]:
    """Addresses: of accounts in every state, and of none."""
    with_device = ModeratorFactory(password=PASSWORD)
    give_device(with_device)
    return {
        "a player": UserFactory(password=PASSWORD).email,
        "staff": ModeratorFactory(password=PASSWORD).email,
        "staff with a device": with_device.email,
        "not verified": UserFactory(password=PASSWORD, email_verified_at=None).email,
        "without a password": UserFactory().email,
        "closed": UserFactory(password=PASSWORD, is_active=False).email,
        "nobody": NOBODY,
    }


DOORS = [signing_in, resetting, verifying_again, moving_to, entering_the_back_office]


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_row_10_everybody_and_nobody_get_the_same_answer(quick, door):
    answers = {who: told(door(email)(), email) for who, email in people().items()}

    assert answers["nobody"][0] in (200, 204, 401)
    assert {who: answer for who, answer in answers.items() if answer != answers["nobody"]} == {}


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_row_10_and_cost_the_same_work(quick, monkeypatch, door):
    work, known = Work(monkeypatch), people()
    # Whatever a process asks for once.
    door("warming-up@example.test")()
    costs = {who: work.of(door(email)) for who, email in known.items()}

    assert len(costs["nobody"]) > 2
    assert costs["nobody"].count("hash") == (0 if door in (resetting, verifying_again) else 1)
    assert {who: cost for who, cost in costs.items() if cost != costs["nobody"]} == {}


def test_row_10_the_counters_do_not_tell(quick, monkeypatch):
    """Seven wrong passwords from one place, then two each from so many others that strange places have to wait."""
    work = Work(monkeypatch)

    def seen(email):
        own, others = new_place(), [new_place() for _ in range(12)]
        answers, costs = [], []
        for address in [own] * 7 + others + others:
            call = post("/auth/token", {"email": email, "password": "x"}, address=address)
            costs += [work.of(lambda call=call: answers.append(told(call())))]
        return answers, costs

    signing_in("warming-up@example.test")()
    known, unknown = seen(UserFactory(password=PASSWORD).email), seen(NOBODY)

    assert [status for status, *_ in known[0]].count(429) > 2
    assert [pair for pair in zip(known[0], unknown[0], strict=True) if pair[0] != pair[1]] == []
    assert [pair for pair in zip(known[1], unknown[1], strict=True) if pair[0] != pair[1]] == []
    # One for the owner, and one that nobody will get.
    assert OutboxMessage.objects.filter(kind="mail.sign_in_tried").count() == 2


def test_row_10_mails_are_counted_alike():
    known, unknown = ([told(resetting(email)()) for _ in range(7)] for email in (UserFactory().email, NOBODY))

    assert [status for status, *_ in known] == [204] * 5 + [429] * 2
    assert known == unknown


def test_row_10_registering_tells_sixty_times_an_hour_and_nothing_where_it_is_refused_anyway(quick):
    """EMAIL_TAKEN is promised by the API; whoever asks for it could register."""
    taken, address = UserFactory().email, new_place()
    good = {"password": PASSWORD, "display_name": "Ada", "date_of_birth": "1990-12-10", "country": "GB", "region": ""}

    def register(email, **more):
        return post("/auth/register", {**good, "email": email, **more}, address=address)()

    for refused in ({"date_of_birth": "2024-01-01"}, {"password": "short"}, {"country": "XX"}):
        assert told(register(taken, **refused))[2] == told(register("free@example.test", **refused))[2]

    statuses = [register(taken).status_code for _ in range(60)]
    assert (statuses[0], statuses[-1], statuses.count(409)) == (409, 429, 54)


# Row 10's bar: medians over 200, within ten of a hundred.
PAIRS, BLOCK, WITHIN, CHANCES = 200, 20, 0.1, 3


def ratio(door, known, unknown, *, pairs=PAIRS) -> float:
    """How long it takes for `known`, in times of `unknown`. They take turns, and who is first, so that both meet the
    same machine; of each block the medians are compared, and of the blocks the median counts.
    """
    ratios = []
    for _ in range(pairs // BLOCK):
        times = {known: [], unknown: []}
        for turn in range(BLOCK):
            for email in (known, unknown) if turn % 2 else (unknown, known):
                call = door(email)
                began = time.perf_counter()
                call()
                times[email].append(time.perf_counter() - began)
        ratios.append(statistics.median(times[known]) / statistics.median(times[unknown]))
    return statistics.median(ratios)


def is_told(found: float) -> bool:
    return abs(found - 1) > WITHIN


@pytest.mark.slow
@pytest.mark.sliced
@pytest.mark.parametrize("door", [signing_in, moving_to], ids=lambda door: door.__name__)
def test_row_10_it_takes_as_long_for_somebody_as_for_nobody(door):
    known = UserFactory(password=PASSWORD).email
    door(known)()
    found = []
    # A machine that was disturbed gets another chance; a difference of ours is there each time.
    while len(found) < CHANCES and all(map(is_told, found)):
        found.append(ratio(door, known, NOBODY))

    assert not is_told(found[-1]), found


@pytest.mark.slow
@pytest.mark.sliced
def test_row_10_a_hash_that_is_spared_is_seen(monkeypatch):
    """The control: what everybody writes first."""
    whole = sessions.check_password

    def naive(password, encoded, setter=None):
        if encoded.startswith("!"):
            raise InvalidCredentials
        return whole(password, encoded, setter)

    monkeypatch.setattr(sessions, "check_password", naive)
    known = UserFactory(password=PASSWORD).email
    signing_in(known)()

    assert is_told(ratio(signing_in, known, NOBODY, pairs=BLOCK))
