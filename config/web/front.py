"""What granian's event loop calls (RSGI): answers what it can by itself, and hands the rest to the gate's threads.

The loop has one thread, and does nothing that waits. By itself it answers with kept pages that this process has at
hand, and refusals. Everything else is an application of WSGI behind the gate, whose threads answer straight to the
server; the loop only brings requests and their bodies, and takes up no thread for those who wait.

Past the gate go, each with threads of their own: whether the process lives, what machines ask about it, refusals that
only Django can word, and answers that are read from while they are sent.
"""

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING

from django.conf import settings

from config.pages.asking import LoopVersions, OneThread
from config.pages.looking import at_hand
from config.pages.registry import house
from config.web.answers import Answer, answer_of
from config.web.arriving import environ_of, take_body
from config.web.gate import PROBES_AT_ONCE, Gate, Ticket, make_nobodys
from config.web.kept import answer_with, asked_by
from config.web.lanes import Lane, lane_of
from config.web.refusing import refusal
from config.web.rsgi import Scope, Way
from config.web.streaming import send_streamed

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Threads for what goes past the gate. Idle ones are not begun.
TURNING_AWAY, SENDING = 8, 64


class Front:
    """An application of RSGI around the gate."""

    def __init__(self, gate: Gate) -> None:
        self.gate = gate
        self._asking = OneThread("versions")
        self._living = ThreadPoolExecutor(1, "living")
        self._probing = ThreadPoolExecutor(PROBES_AT_ONCE, "probing")
        self._turning_away = ThreadPoolExecutor(TURNING_AWAY, "turning-away")
        self._sending = ThreadPoolExecutor(SENDING, "sending")

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """The process serves from now on."""
        self._loop = loop
        known = house() if settings.KEEP_PAGES else None
        self._versions = None if known is None else LoopVersions(known.versions.ask, loop, self._asking)

    def close(self) -> None:
        """Let the threads go that have nothing to do."""
        self._asking.shutdown()
        for one in (self._living, self._probing, self._turning_away, self._sending):
            one.shutdown(wait=False)

    async def __rsgi__(self, scope: Scope, way: Way) -> None:
        """Answer one request."""
        environ = environ_of(scope)
        answer = await self._page(environ)
        if answer is not None:
            _send(answer, way)
            return
        lane = lane_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        if lane is Lane.LIVE:
            make_nobodys(environ)
            await self._aside(self._living, environ, way)
        elif lane is Lane.PROBE and self.gate.takes_probe(environ):
            try:
                await self._aside(self._probing, environ, way)
            finally:
                self.gate.end_of_probe()
        else:
            await self._through(Lane.OTHER if lane is Lane.PROBE else lane, environ, way)

    async def _page(self, environ: "WSGIEnvironment") -> Answer | None:
        """With a kept page that is at hand."""
        asked = None if self._versions is None else asked_by(environ)
        if asked is None or self._versions is None:
            return None
        began = time.perf_counter()
        version = await self._versions.read(asked.pool)
        page = None if version is None else at_hand(asked, version)
        return None if page is None else answer_with(environ, asked, lambda _: page, began=began)

    async def _aside(self, executor: ThreadPoolExecutor, environ: "WSGIEnvironment", way: Way) -> None:
        """By a thread past the gate."""
        await take_body(environ, way, limit=self.gate.body_limit)
        answer = await self._loop.run_in_executor(executor, answer_of, self.gate.application, environ)
        await self._sent(answer, environ, way)

    async def _through(self, lane: Lane, environ: "WSGIEnvironment", way: Way) -> None:
        """Through the gate."""
        passage = _Passage(self._loop, way)
        ticket = self.gate.admit(lane, environ, passage.tell)
        if ticket is None:
            await self._refuse(lane, environ, way)
            return
        passage.ticket = ticket
        try:
            await take_body(environ, way, limit=self.gate.body_limit)
        except BaseException:
            self.gate.forget(ticket)
            raise
        self.gate.queue(ticket)
        left = ticket.came_at + self.gate.longest_wait - time.monotonic()
        late = self._loop.call_later(max(0.0, left), self._give_up, passage)
        answer = await passage.done
        late.cancel()
        if passage.is_late:
            await self._refuse(lane, environ, way)
        elif answer is not None:
            await self._sent(answer, environ, way)

    def _give_up(self, passage: "_Passage") -> None:
        if passage.ticket is not None and self.gate.give_up(passage.ticket):
            passage.is_late = True
            passage.done.set_result(None)

    async def _refuse(self, lane: Lane, environ: "WSGIEnvironment", way: Way) -> None:
        self.gate.refuse(lane, environ)
        answer = refusal(environ)
        if answer is not None:
            _send(answer, way)
            return
        environ.setdefault("wsgi.input", BytesIO())
        answer = await self._loop.run_in_executor(self._turning_away, answer_of, self.gate.application, environ)
        await self._sent(answer, environ, way)

    async def _sent(self, answer: Answer, environ: "WSGIEnvironment", way: Way) -> None:
        if answer.is_streamed:
            is_head = environ["REQUEST_METHOD"] == "HEAD"
            await self._loop.run_in_executor(self._sending, send_streamed, answer, way, is_head)
        else:
            _send(answer, way)


class _Passage:
    """One request in the gate: answered by the thread that worked on it, and then the loop is told."""

    __slots__ = ("_loop", "_way", "done", "is_late", "ticket")

    def __init__(self, loop: asyncio.AbstractEventLoop, way: Way) -> None:
        self._loop = loop
        self._way = way
        self.ticket: Ticket | None = None
        self.is_late = False
        # Ends with the answer, if that is still to be sent.
        self.done: asyncio.Future[Answer | None] = loop.create_future()

    def tell(self) -> None:
        """By the thread that worked on it."""
        assert self.ticket is not None
        answer, fault = None, None
        try:
            answer = self.ticket.result()
            if not answer.is_streamed:
                _send(answer, self._way)
                answer = None
        except BaseException as raised:  # noqa: BLE001  # raised again in the loop, where the server hears of it
            fault = raised
        # Where the loop has ended, nobody waits.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._end, answer, fault)

    def _end(self, answer: Answer | None, fault: BaseException | None) -> None:
        if self.done.done():
            return
        if fault is None:
            self.done.set_result(answer)
        else:
            self.done.set_exception(fault)


def _send(answer: Answer, way: Way) -> None:
    """All of it; from any thread."""
    way.response_bytes(answer.code, answer.headers, b"".join(answer.body))
