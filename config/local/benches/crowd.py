"""A crowd in the last minute before a lock: who comes when, and what each of them does.

Of a hundred who come, 53 save a pick, 10 change the one that was saved just before, 5 come with a token that is over
and renew it first, 2 sign in, and 30 look at the standings, with the tag that they have.
"""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from random import Random

from config.local.benches.open_loop import Act, Send, run_open
from config.local.benches.players import Player
from config.local.benches.wire import Answer, call

PICK, EDIT, RENEW, SIGN_IN, READ = "pick", "edit", "renew", "sign_in", "read"
MIX = {PICK: 53, EDIT: 10, RENEW: 5, SIGN_IN: 2, READ: 30}
AUTH = "/api/v1/auth/token"


@dataclass
class Person:
    """A player in the crowd, with the tokens that they hold at the moment, and how often they have picked."""

    player: Player
    access: str
    refresh: str
    expired: str
    picked: int = 0
    # A refresh token that two use at once ends the session.
    is_renewing: bool = False

    def next_team(self, sides: tuple[int, int]) -> str:
        """The other of two."""
        self.picked += 1
        return self.player.teams[sides[self.picked % 2]]


@dataclass(frozen=True)
class Done:
    """What became of one who came: the last status, milliseconds since they were due, and at which second of the crowd
    it was over. `nonce` of a saved pick."""

    kind: str
    status: int
    milliseconds: float
    ended: float = 0.0
    entry_id: int = 0
    nonce: str = ""
    code: str = ""

    @property
    def is_served(self) -> bool:
        """Who comes after the lock is told so, and has been served."""
        return self.status in (200, 304) or self.code == "DEADLINE_PASSED"


@dataclass
class Crowd:
    """Those who come to one pool and one round of it, for which each has two teams of their own: `sides`."""

    port: int
    pool_id: int
    round_number: int
    sides: tuple[int, int]
    people: Sequence[Person]
    signers: Sequence[tuple[str, str]]
    seed: int = 1
    done: list[Done] = field(default_factory=list)
    _tag: str = ""
    _began: list[float] = field(default_factory=lambda: [0.0])

    def come(self, per_second: float, seconds: float) -> list[Done]:
        """So many a second, evenly, whatever becomes of those before; what became of each."""
        self.done = []
        self._random = Random(self.seed)
        self._people = cycle(self._random.sample(self.people, len(self.people)))
        self._signers = cycle(self.signers)
        self._last = next(self._people)
        kinds = self._kinds()
        acts = [(n / per_second, self._act(next(kinds), n / per_second)) for n in range(round(per_second * seconds))]
        run_open(self.port, acts, self._began)
        return self.done

    def _kinds(self) -> Iterator[str]:
        hundred = [kind for kind, share in MIX.items() for _ in range(share)]
        while True:
            yield from self._random.sample(hundred, len(hundred))

    def _act(self, kind: str, at: float) -> Act:
        def begin(send: Send, over: Callable[[], None]) -> None:
            def end(answer: Answer, entry_id: int = 0) -> None:
                ended = time.perf_counter() - self._began[0]
                self.done.append(_done(kind, answer, 1000 * (ended - at), ended, entry_id))
                over()

            self._begin(kind, send, end)

        return begin

    def _begin(self, kind: str, send: Send, end: Callable[..., None]) -> None:
        if kind == READ:
            self._read(send, end)
        elif kind == SIGN_IN:
            email, password = next(self._signers)
            body = json.dumps({"email": email, "password": password}).encode()
            send(call("POST", AUTH, body=body), end)
        elif kind == RENEW:
            self._renew(next(person for person in self._people if not person.is_renewing), send, end)
        else:
            self._last = self._last if kind == EDIT else next(self._people)
            self._save(self._last, self._last.access, send, end)

    def _save(self, person: Person, access: str, send: Send, end: Callable[..., None]) -> None:
        path = f"/api/v1/entries/{person.player.entry_id}/picks/{self.round_number}"
        put = person.player.put(path, person.next_team(self.sides), access=access)
        send(put, lambda answer: end(answer, person.player.entry_id))

    def _read(self, send: Send, end: Callable[..., None]) -> None:
        def read(answer: Answer) -> None:
            self._tag = answer.header("etag") or self._tag
            end(answer)

        headers = [("If-None-Match", self._tag)] if self._tag else []
        send(call("GET", f"/api/v1/pools/{self.pool_id}/standings", headers=headers), read)

    def _renew(self, person: Person, send: Send, end: Callable[..., None]) -> None:
        """With a token that is over, then for a new pair, then with that."""

        def renewed(answer: Answer) -> None:
            person.is_renewing = False
            if answer.status != 200:
                return end(answer)
            pair = json.loads(answer.body)["data"]
            person.access, person.refresh = pair["access"], pair["refresh"]
            return self._save(person, person.access, send, end)

        def refused(answer: Answer) -> None:
            if answer.status != 401:
                person.is_renewing = False
                return end(answer)
            body = json.dumps({"refresh": person.refresh}).encode()
            return send(call("POST", f"{AUTH}/refresh", body=body), renewed)

        person.is_renewing = True
        self._save(person, person.expired, send, lambda answer, _: refused(answer))


def _done(kind: str, answer: Answer, milliseconds: float, ended: float, entry_id: int) -> Done:
    code = json.loads(answer.body)["error"]["code"] if answer.status >= 400 and answer.body else ""
    if not entry_id or answer.status != 200:
        return Done(kind, answer.status, milliseconds, ended, entry_id, code=code)
    slip = json.loads(answer.body)["data"]["slip"]
    return Done(kind, answer.status, milliseconds, ended, entry_id, slip["nonce"])
