"""The same random calls, through the shortcut and through Django alone: the same answers, and the same rows.

Two players of one pool live the same life, one behind each door. Whatever is done to one (the round locks, their entry
is suspended, their session ends …) is done to the other in the same moment.
"""

import json
import random

import pytest

from accounts.models import Session, User
from config.models import AuditEntry
from entries.models import Entry, Pick, PickChange
from pools.models import Game, GameStatus, Pool, PoolStatus
from tests.factories.entries import EntryFactory
from tests.factories.pools import PoolFactory, league, lock_round
from tests.support.doors import Door, token_of

pytestmark = pytest.mark.django_db(transaction=True)

CODES = ("ANT", "BAT", "CAT", "DOG", "ELK", "FOX")
ROUNDS = 4
STEPS = 40
# What is new in each answer, or tells the two lives apart.
APART = ("picked_at", "saved_at", "nonce", "signature", "entry", "timestamp", "request_id")
HEADERS_APART = {"x-request-id", "traceparent", "x-ratelimit-reset", "content-length"}


class Life:
    """One of the two players, behind their door."""

    def __init__(self, pool, is_direct):
        self.door = Door(is_direct=is_direct)
        # Wrong tokens are counted by it.
        self.address = "198.51.100.1" if is_direct else "198.51.100.2"
        self.entry = EntryFactory(in_pool=pool)
        self.tokens = [token_of(self.entry.user), token_of(self.entry.user)]

    def sign_in(self):
        user = User.objects.get(pk=self.entry.user_id)
        self.tokens = [token_of(user), token_of(user)] if user.is_active else self.tokens

    def left_behind(self):
        """The rows, without what is theirs alone."""
        picks = Pick.objects.filter(entry=self.entry).order_by("round", "slot")
        steps = PickChange.objects.filter(entry_id=self.entry.pk).order_by("id")
        noted = AuditEntry.objects.filter(subject_type="pick", subject_id=str(self.entry.pk)).order_by("id")
        return (
            list(picks.values_list("round", "slot", "team", "game", "source", "rules_version")),
            [
                (*step, actor == self.entry.user_id)
                for *step, actor in steps.values_list(
                    "round_id", "slot", "from_team_id", "to_team_id", "source", "ruling_id", "reason", "actor_id"
                )
            ],
            [
                (*entry, address == self.address, {person, actor} == {self.entry.user_id})
                for *entry, address, person, actor in noted.values_list(
                    "action", "actor_kind", "api_key", "reason", "address", "person_id", "actor_id"
                )
            ],
        )


def plain(value):
    if isinstance(value, dict):
        return {name: "…" if name in APART else plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list) else value


def told(said):
    """What the caller learns. Headers are compared as sets: some are lists in no order."""
    headers = {
        name: sorted(value.lower().replace(";", ",").split(", "))
        for name, value in said.headers.items()
        if name not in HEADERS_APART
    }
    return said.status, json.dumps(plain(said.content)), headers


def random_call(draw):
    """A pick, mostly plain, with something odd now and then."""
    number = draw.choice([1, 1, 2, 2, 3, 4, 9])
    team = draw.choice([*CODES, *CODES, *CODES, "NOBODY", "ant", " ANT", ""])
    body = {"team": team}
    odd = draw.random()
    if odd < 0.06:
        body = draw.choice([{"teams": [team]}, {"teams": [team, "ANT"]}, {"team": team, "x": 1}, {}, [], {"team": 5}])
    headers = {}
    if draw.random() < 0.1:
        headers = draw.choice(
            [
                {"HTTP_IF_MATCH": '"1"'},
                {"HTTP_IDEMPOTENCY_KEY": "k" * 20},
                {"HTTP_ACCEPT_LANGUAGE": "de"},
                {"QUERY_STRING": "fields=team"},
                {"CONTENT_TYPE": "text/plain"},
                {"HTTP_ACCEPT": "text/html"},
                {"HTTP_ACCEPT": "*/*", "HTTP_ACCEPT_ENCODING": "gzip"},
                {"HTTP_ORIGIN": "https://elsewhere.example"},
                {"HTTP_AUTHORIZATION": "Bearer no.such.token"},
            ]
        )
    return number, json.dumps(body).encode(), headers


def change_the_world(draw, pool, lives):
    """Something that decides whether picks are saved, for both alike."""
    entries = [life.entry.pk for life in lives]
    users = [life.entry.user_id for life in lives]
    rounds = pool.competition.rounds
    choice = draw.randrange(9)
    if choice == 0:
        lock_round(rounds.get(number=1))
    elif choice == 1:
        Entry.objects.filter(pk__in=entries).update(is_suspended=draw.random() < 0.5)
        Pool.objects.filter(pk=pool.pk).update(suspended_may_pick=draw.random() < 0.5)
    elif choice == 2:
        Game.objects.filter(round__number=2, home__code="ANT").update(
            status=draw.choice([GameStatus.POSTPONED, GameStatus.SCHEDULED])
        )
    elif choice == 3:
        User.objects.filter(pk__in=users).update(is_active=draw.random() < 0.7)
    elif choice == 4:
        for user in User.objects.filter(pk__in=users):
            User.objects.filter(pk=user.pk).update(token_version=user.token_version + 1)
    elif choice == 5:
        Session.objects.filter(user__in=users, revoked_at=None).update(
            revoked_at="2026-01-01T00:00Z", revoked_because="signed_out"
        )
    elif choice == 6 and pool.status == PoolStatus.OPEN:
        Pool.objects.filter(pk=pool.pk, status=PoolStatus.OPEN).update(status=PoolStatus.RUNNING)
    else:
        User.objects.filter(pk__in=users).update(is_active=True)
        for life in lives:
            life.sign_in()


@pytest.mark.parametrize("run", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_nothing_tells_them_apart(run):
    seed = random.SystemRandom().getrandbits(32)
    draw = random.Random(seed)
    lock = draw.choice(["round", "round", "round", "game"])
    rules = {"reuse_limit": draw.choice([1, 2]), "lock": lock}
    pool = PoolFactory(competition=league(rounds=ROUNDS, codes=CODES), rules=rules)
    direct, django = lives = [Life(pool, is_direct) for is_direct in (True, False)]
    for life in lives:
        assert life.door.put(life.entry.pk, 4, {"team": "FOX"}, **sent_by(life, 0, {})).status == 200
    # Where each game locks for itself no pick is plain.
    assert (direct.door.reached_django, django.door.reached_django) == (int(lock == "game"), 1)

    for step in range(STEPS):
        if draw.random() < 0.15:
            change_the_world(draw, pool, lives)
        number, body, headers = random_call(draw)
        which = draw.randrange(2)
        said = [told(life.door.put(life.entry.pk, number, body, **sent_by(life, which, headers))) for life in lives]
        assert said[0] == said[1], f"seed {seed}, step {step}: {body!r} for round {number} with {headers}"
        behind = [life.left_behind() for life in lives]
        assert behind[0] == behind[1], f"seed {seed}, step {step}: {body!r} for round {number} with {headers}"


def sent_by(life, which, headers):
    return {"HTTP_AUTHORIZATION": f"Bearer {life.tokens[which]}", "REMOTE_ADDR": life.address, **headers}
