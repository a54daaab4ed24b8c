"""Questions that must be answered in time, also by a server that is stuck: is the database there, what does it know.

A PostgreSQL that is frozen, or behind a cable that was cut, answers nothing and refuses nothing: whoever asks it waits.
So a probe is not asked by the thread that answers it, but by another one, with a connection of its own, and whoever
wants to know waits no longer than they said.
"""

import os
import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any, TypeVar

from django.db import Error, connection

T = TypeVar("T")
# A thread that has waited for so long is left to itself.
GIVEN_UP_SECONDS = 30.0

Question = tuple[Callable[[], Any], "Future[Any]"]


class NoAnswer(Exception):
    """Not in time. The question may still be under way."""


class Prober:
    """Asks one question after the other, in a thread that begins with the first.

    `keeps_connection`: between two questions; else it is closed after each.
    """

    def __init__(self, name: str, *, keeps_connection: bool) -> None:
        self.name = name
        self.keeps_connection = keeps_connection
        self._lock = threading.Lock()
        self._questions: queue.SimpleQueue[Question] | None = None
        self._pid = 0
        self._busy_since: float | None = None

    def ask(self, question: Callable[[], T], *, seconds: float) -> T:
        """What the question returns or raises. Raises `NoAnswer` when that takes longer.

        Inside a transaction it is asked here and now: only there is to be seen what the transaction has written.
        """
        if connection.in_atomic_block:
            return question()
        future: Future[T] = Future()
        self._thread().put((question, future))
        try:
            return future.result(timeout=seconds)
        except TimeoutError:
            future.cancel()
            raise NoAnswer from None

    def _thread(self) -> "queue.SimpleQueue[Question]":
        with self._lock:
            is_stuck = self._busy_since is not None and time.monotonic() - self._busy_since > GIVEN_UP_SECONDS
            # A fork inherits the object but not its thread.
            if self._questions is None or self._pid != os.getpid() or is_stuck:
                self._questions, self._pid, self._busy_since = queue.SimpleQueue(), os.getpid(), None
                threading.Thread(
                    target=self._answer, args=(self._questions,), name=f"probe-{self.name}", daemon=True
                ).start()
            return self._questions

    def _answer(self, questions: "queue.SimpleQueue[Question]") -> None:
        while True:
            question, future = questions.get()
            if not future.set_running_or_notify_cancel():
                continue
            self._busy_since = time.monotonic()
            try:
                connection.close_if_unusable_or_obsolete()
                future.set_result(question())
            except BaseException as fault:  # noqa: BLE001  # raised again where it was asked
                future.set_exception(fault)
            if not self.keeps_connection:
                with suppress(Error):
                    connection.close()
            if questions is not self._questions:
                # It was given up, and another one has taken its place.
                connection.close()
                return
            self._busy_since = None
