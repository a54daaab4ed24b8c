"""`manage.py up`: from nothing to a working system in the foreground; Ctrl-C stops all of it.

Checks first what would fail late, then starts the services, the tables and the demo, and last the web server, the
worker, the scheduler, the doubles of Stripe and of a sign-in provider, and the score feed. Ends with 1 when one of them
ends by itself.
"""

import argparse
import os
import signal
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager

from config.local import home, services
from config.local.commands.fresh import begin_anew
from config.local.progress import Progress
from config.local.supervisor import programs, summary, tables
from config.local.supervisor.children import Children, Ending
from config.local.supervisor.occupancy import occupy, refuse_busy_port
from config.local.supervisor.watch import ServerWatch

# From the start of the command; a slow machine's first migrations are part of it.
READY_TIMEOUT = 300.0
# Later ones need the earlier ones: whoever calls stops before who is called.
STOP_ORDER = (("feed", "beat"), ("worker",), ("live",), ("web",), ("oidc",), ("stripe",))


class Interrupts:
    """Ctrl-C, TERM and a closed terminal, all meaning the same: stop in order."""

    def __init__(self) -> None:
        self.came = False
        # While a step runs we leave it at once; in the loop and while stopping we only take note.
        self.may_raise = True
        for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(each, self._note)

    def _note(self, *_: object) -> None:
        self.came = True
        if self.may_raise:
            raise KeyboardInterrupt


def main(argv: list[str]) -> int:
    """Run the system until it is stopped."""
    began = time.monotonic()
    options = parse(argv)
    progress = Progress(stream=sys.stdout)
    interrupts = Interrupts()
    with occupy(options.address, progress) as lock:
        refuse_busy_port(options.host, options.port)
        if options.fresh:
            begin_anew()
            progress.done("home emptied", time.monotonic() - began)
        prepare(options, progress)
        # From here on only noted: a half-started child must not escape.
        interrupts.may_raise = False
        children = Children(sys.stdout, lock=lock)
        try:
            return serve(options, children, progress, interrupts, began)
        finally:
            stop(children, progress)


def parse(argv: list[str]) -> argparse.Namespace:
    """The options, and the address that people will open."""
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__)
    parser.add_argument("--port", type=int, default=8000, help="where the web server listens (default 8000)")
    parser.add_argument("--host", default="127.0.0.1", help="the address it listens on (default 127.0.0.1)")
    parser.add_argument("--fresh", action="store_true", help="delete the home's data first")
    parser.add_argument("--no-demo", dest="demo", action="store_false", help="no demo pool, no score feed")
    options = parser.parse_args(argv)
    shown = "127.0.0.1" if options.host in ("0.0.0.0", "::") else options.host
    options.address = f"http://{f'[{shown}]' if ':' in shown else shown}:{options.port}"
    return options


def prepare(options: argparse.Namespace, progress: Progress) -> None:
    """Services, addresses, tables and the demo. Raises what `commands.run` explains."""
    os.environ.setdefault("PUBLIC_URL", options.address)
    with timed(progress, "PostgreSQL and Valkey"):
        services.ensure()
        programs.choose_ports()
    tables.bring_up_to_date(progress)
    if options.demo:
        progress.run("demo pool", programs.manage("demo_seed"), cwd=home.ROOT)


def serve(
    options: argparse.Namespace, children: Children, progress: Progress, interrupts: Interrupts, began: float
) -> int:
    """Start the children, say so when they answer, and watch them until somebody stops us or one of them ends."""
    for program in programs.first(options):
        children.start(program)
    watch = ServerWatch()
    is_ready = False
    next_look = 0.0
    while not interrupts.came:
        children.pump(0.25)
        ending = children.ended()
        if ending and not revive(ending, children, watch, progress):
            return 1
        if time.monotonic() < next_look:
            continue
        watch.look()
        # Heals after a killed keeper.
        services.ensure()
        if not is_ready and answers(options.address):
            is_ready = True
            for program in programs.second(options):
                children.start(program)
            summary.show(options, seconds=time.monotonic() - began)
        elif not is_ready and time.monotonic() - began > READY_TIMEOUT:
            progress.failed(f"{options.address}/health/ready does not answer", time.monotonic() - began)
            return 1
        next_look = time.monotonic() + 0.5
    return 0


def revive(ending: Ending, children: Children, watch: ServerWatch, progress: Progress) -> bool:
    """Start a child again that fell with its server. False, and a report, when it ended by its own fault."""
    if ending.name in children.running and watch.was_replaced():
        progress.say(f"· {ending.name} fell with its server and is started again")
        children.restart(ending.name)
        return True
    report(ending, progress)
    return False


def answers(address: str) -> bool:
    """Whether the system says that it is ready."""
    try:
        with urllib.request.urlopen(f"{address}/health/ready", timeout=2) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def report(ending: Ending, progress: Progress) -> None:
    """Say which child ended, and with what last words."""
    how = f"exit code {ending.code}" if ending.code >= 0 else signal.Signals(-ending.code).name
    progress.say(f"✗ {ending.name} ended by itself ({how}); everything else is stopped now. Its last lines:")
    for line in ending.lines:
        progress.say(f"    {line}")


def stop(children: Children, progress: Progress) -> None:
    """End the children in order, then the services that nobody else uses."""
    began = time.monotonic()
    for names in STOP_ORDER:
        running = [name for name in names if name in children.running]
        if running:
            with timed(progress, f"{' and '.join(running)} stopped"):
                children.stop(*running)
    children.close()
    with timed(progress, "PostgreSQL and Valkey stopped") as outcome:
        if not services.release():
            outcome.append("PostgreSQL and Valkey stay: another process uses them")
    progress.done("all stopped", time.monotonic() - began)


@contextmanager
def timed(progress: Progress, title: str) -> Iterator[list[str]]:
    """A step that is not a program. A line put into the list is shown instead of the title."""
    began = time.monotonic()
    outcome: list[str] = []
    yield outcome
    progress.done(outcome[0] if outcome else title, time.monotonic() - began)
