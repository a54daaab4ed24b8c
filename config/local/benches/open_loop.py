"""Calls that are sent when they are due, by as many connections as that takes; taken is from due to answered."""

import asyncio
import time
from collections.abc import Callable, Sequence

import uvloop

from config.local.benches.wire import Answer, Heard, Lines

Send = Callable[[bytes, Heard], None]
# What is done when it is due: sends whatever it takes, and tells when that is over.
Act = Callable[[Send, Callable[[], None]], None]


def send_open(port: int, due: Sequence[tuple[float, bytes]]) -> list[tuple[float, Answer]]:
    """Send each call at its second; milliseconds and answer of each, in the order given."""
    heard: list[tuple[float, Answer]] = [(0.0, Answer(0))] * len(due)

    def act(number: int, call: bytes, at: float) -> Act:
        def begin(send: Send, over: Callable[[], None]) -> None:
            def done(answer: Answer) -> None:
                heard[number] = (1000 * (time.perf_counter() - began[0] - at), answer)
                over()

            send(call, done)

        return begin

    began = [0.0]
    run_open(port, [(at, act(number, call, at)) for number, (at, call) in enumerate(due)], began)
    return heard


def run_open(port: int, acts: Sequence[tuple[float, Act]], began: list[float]) -> int:
    """Do each act at its second after `began[0]`, which is set here; how many connections that took."""
    return uvloop.run(_open(port, acts, began))


async def _open(port: int, acts: Sequence[tuple[float, Act]], began: list[float]) -> int:
    lines, over = Lines(port), asyncio.get_running_loop().create_future()
    left = len(acts)

    def ended() -> None:
        nonlocal left
        left -= 1
        if not left:
            over.set_result(None)

    began[0] = time.perf_counter() + 0.2
    for at, act in acts:
        # A timer may ring a little early.
        while (early := began[0] + at - time.perf_counter()) > 0:
            await asyncio.sleep(early)
        act(lines.send, ended)
    await over
    lines.close()
    return lines.opened
