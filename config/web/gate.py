"""How many requests a process works on at once, how many may wait for that, and who is next.

A server without a bound does not slow down under a rush, it collapses: everybody waits for everybody, and callers who
have long given up are still served. So at most `MAX_IN_WORK` requests are worked on, by as many threads, which is also
the number of connections to PostgreSQL; at most `MAX_WAITING` wait, none longer than `MAX_WAIT_MS`; whoever comes then
is told at once to come again (503 with `Retry-After`). Picks go first and have a share that nobody else may take;
`config.web.lanes` says who else has how much. Sign-ins rest after each for as long as it took, and several times as
long while picks come: however many want in, and however fast they are, they never have more than their share of time.

A body is read before its request is worked on, once there is room to wait: who sends slowly keeps nobody from work.

Whoever brings requests here goes through `admit`, `queue` and `give_up`: the event loop of `config.web.front`, which is
what serves, or a thread of a server that speaks WSGI, for which the gate is an application like any other.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from io import BytesIO
from secrets import randbelow
from typing import TYPE_CHECKING

from django.db import connections

from config.api.arrival import CAME_AT
from config.metrics import counter, histogram
from config.web.answers import Answer, Streamed, answer_of
from config.web.lanes import Lane, Shares, lane_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# In the environment of a request that is refused: after how many seconds to come again. No header can have this name.
REFUSED = "outlast.come_again"
LONGEST_RETRY = 5
PROBES_AT_ONCE = 4
# After work of these kinds its kind rests, so many times as long as it took: while no picks come, and while some do.
# Within reason: it may have waited for somebody.
RESTING = {Lane.SIGN_IN: (1, 8)}
LONGEST_REST = 0.5
# Picks come as long as the last one is no older.
PICKS_COME = 1.0

TURNED_AWAY = counter("turned_away", "Requests that were told to come again, by kind of work.", ["lane"])
WAITED = histogram(
    "waited_seconds", "How long requests waited to be worked on.", ["lane"], (0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1, 2)
)


def make_nobodys(environ: "WSGIEnvironment") -> None:
    """With a cookie or a token it would be looked up whose it is."""
    environ.pop("HTTP_COOKIE", None)
    environ.pop("HTTP_AUTHORIZATION", None)


def read_ahead(environ: "WSGIEnvironment", *, limit: int) -> None:
    """Read the body, if it is not longer than `limit`; give a chunked one its length.

    Django takes a body without Content-Length for an empty one. One byte past `limit` is enough to see that a chunked
    body is too large: the guard refuses it by its length.
    """
    length = environ.get("CONTENT_LENGTH") or ""
    is_chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
    if is_chunked and not length:
        body = environ["wsgi.input"].read(limit + 1)
        environ["CONTENT_LENGTH"] = str(len(body))
    elif length.isascii() and length.isdigit() and 0 < int(length) <= limit:
        body = environ["wsgi.input"].read(int(length))
    else:
        return
    environ["wsgi.input"] = BytesIO(body)


class Ticket:
    """One request on its way through the gate. `tell` is called once it is done, by the thread that did it."""

    def __init__(self, lane: Lane, environ: "WSGIEnvironment", number: int, tell: Callable[[], None]) -> None:
        self.lane = lane
        self.environ = environ
        self.number = number
        self.tell = tell
        self.came_at = time.monotonic()
        self.answer: Answer | None = None
        self.fault: BaseException | None = None

    def result(self) -> Answer:
        """Its answer. Raises what the application raised."""
        if self.fault is not None:
            raise self.fault
        assert self.answer is not None
        return self.answer


class Gate:
    """A WSGI application around another."""

    def __init__(self, application: "WSGIApplication", *, shares: Shares, longest_wait: float, body_limit: int) -> None:
        self.application = application
        self.shares = shares
        self.longest_wait = longest_wait
        self.body_limit = body_limit
        self._changed = threading.Condition()
        self._probes = threading.BoundedSemaphore(PROBES_AT_ONCE)
        self._queues: dict[Lane, deque[Ticket]] = {lane: deque() for lane in Lane}
        # Of each lane: who was let in and is not done, and who of them is worked on.
        self._inside = dict.fromkeys(Lane, 0)
        self._working = dict.fromkeys(Lane, 0)
        self._rests_until = dict.fromkeys(RESTING, 0.0)
        self._pick_came_at = -PICKS_COME
        self._numbers = 0
        self._threads: list[threading.Thread] = []

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        lane = lane_of(environ.get("REQUEST_METHOD", ""), environ.get("PATH_INFO", ""))
        if lane is Lane.LIVE:
            make_nobodys(environ)
            return self.application(environ, start_response)
        if lane is Lane.PROBE:
            if self.takes_probe(environ):
                try:
                    return self.application(environ, start_response)
                finally:
                    self.end_of_probe()
            lane = Lane.OTHER
        ticket = self._done(lane, environ)
        if ticket is None:
            self.refuse(lane, environ)
            return self.application(environ, start_response)
        return ticket.result().said_to(start_response)

    def _done(self, lane: Lane, environ: "WSGIEnvironment") -> Ticket | None:
        """The ticket once it is done; None where there was no room, or no turn in time, in which a slow body counts."""
        done = threading.Event()
        ticket = self.admit(lane, environ, done.set)
        if ticket is None:
            return None
        try:
            read_ahead(environ, limit=self.body_limit)
        except BaseException:
            self.forget(ticket)
            raise
        self.queue(ticket)
        done.wait(max(0.0, ticket.came_at + self.longest_wait - time.monotonic()))
        if self.give_up(ticket):
            return None
        done.wait()
        return ticket

    def takes_probe(self, environ: "WSGIEnvironment") -> bool:
        """Whether a probe goes past the queue; after it, `end_of_probe`.

        Wanted most when all others are stuck. With a cookie it is a person's, who may wait.
        """
        return "HTTP_COOKIE" not in environ and self._probes.acquire(blocking=False)

    def end_of_probe(self) -> None:
        """Let the next one past."""
        self._probes.release()

    def admit(self, lane: Lane, environ: "WSGIEnvironment", tell: Callable[[], None]) -> Ticket | None:
        """A ticket to queue with once the body is there, or to forget; None where there is no room."""
        with self._changed:
            if not self._has_room(lane):
                return None
            self._inside[lane] += 1
            self._numbers += 1
            ticket = Ticket(lane, environ, self._numbers, tell)
            environ[CAME_AT] = ticket.came_at
            if lane is Lane.PICK:
                self._pick_came_at = ticket.came_at
            return ticket

    def forget(self, ticket: Ticket) -> None:
        """It was admitted, and never came to be."""
        with self._changed:
            self._inside[ticket.lane] -= 1

    def queue(self, ticket: Ticket) -> None:
        """Have it worked on when its turn comes."""
        with self._changed:
            self._queues[ticket.lane].append(ticket)
            self._start_threads()
            self._changed.notify()

    def give_up(self, ticket: Ticket) -> bool:
        """Whether it was still waiting: then nobody will work on it. False where it is worked on, or done already."""
        with self._changed:
            try:
                self._queues[ticket.lane].remove(ticket)
            except ValueError:
                return False
            self._inside[ticket.lane] -= 1
            return True

    def refuse(self, lane: Lane, environ: "WSGIEnvironment") -> None:
        """Have the application's outermost parts say so, so that this answer is like every other."""
        TURNED_AWAY.labels(lane).inc()
        # Not all at the same moment again.
        environ[REFUSED] = 1 + randbelow(LONGEST_RETRY)

    def _has_room(self, lane: Lane) -> bool:
        picks, everybody = self._inside[Lane.PICK], sum(self._inside.values())
        if everybody >= self.shares.inside or self._inside[lane] >= self.shares.inside_of(lane):
            return False
        return lane is Lane.PICK or everybody - picks < self.shares.inside_but_picks

    def _start_threads(self) -> None:
        """With the first request: a server may copy the process after this was made. Called under the lock."""
        while len(self._threads) < self.shares.at_once:
            thread = threading.Thread(target=self._work, name=f"work-{len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                while (ticket := self._next()) is None:
                    self._changed.wait(self._rest())
                self._working[ticket.lane] += 1
                if self._rest() is not None:
                    # Somebody else must look again when the rest is over.
                    self._changed.notify()
            WAITED.labels(ticket.lane).observe(time.monotonic() - ticket.came_at)
            self._do(ticket)
            # Or the answer would live as long as this thread has nothing else to do.
            del ticket

    def _next(self) -> Ticket | None:
        """The pick that waits longest, else what waits longest of the lanes that have room. Takes it off its queue."""
        if picks := self._queues[Lane.PICK]:
            return picks.popleft()
        if sum(self._working.values()) - self._working[Lane.PICK] >= self.shares.but_picks:
            return None
        now = time.monotonic()
        open_ = [
            queue
            for lane, queue in self._queues.items()
            if queue and self._working[lane] < self.shares.at_once_of(lane) and self._rests_until.get(lane, 0.0) <= now
        ]
        return min(open_, key=lambda queue: queue[0].number).popleft() if open_ else None

    def _begin_rest(self, lane: Lane, began: float) -> None:
        now = time.monotonic()
        times = RESTING[lane][now - self._pick_came_at < PICKS_COME]
        self._rests_until[lane] = now + min(times * (now - began), LONGEST_REST)

    def _rest(self) -> float | None:
        """In how many seconds somebody who waits may be taken up merely because time passed; None: nobody."""
        now = time.monotonic()
        return min(
            (end - now for lane, end in self._rests_until.items() if self._queues[lane] and end > now), default=None
        )

    def _do(self, ticket: Ticket) -> None:
        keeps_place, began = False, time.monotonic()
        try:
            answer = ticket.answer = answer_of(self.application, ticket.environ)
            if answer.is_streamed and ticket.lane is Lane.REPORT:
                answer.body = Streamed(answer.body, partial(self._end_of_report, ticket.lane))
                keeps_place = True
        except BaseException as fault:  # noqa: BLE001  # raised again for whoever brought the request
            ticket.fault = fault
        if ticket.lane in RESTING:
            self._begin_rest(ticket.lane, began)
        if not keeps_place:
            self._leave(ticket.lane)
        ticket.tell()

    def _end_of_report(self, lane: Lane) -> None:
        """Whichever thread sent it read it through a connection of its own."""
        with suppress(Exception):
            connections.close_all()
        self._leave(lane)

    def _leave(self, lane: Lane) -> None:
        with self._changed:
            self._working[lane] -= 1
            self._inside[lane] -= 1
            self._changed.notify()
