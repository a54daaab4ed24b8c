"""The programs that `manage.py up` runs, each as one command line."""

import argparse
import os
import sys
from dataclasses import dataclass, field

from config.local import home


@dataclass(frozen=True)
class Program:
    """A child of `up`: the name of its lines and its log, and how it is started."""

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)


def of(options: argparse.Namespace) -> list[Program]:
    """Every program of this run. The Stripe double only where no real key is set, the feed only with the demo."""
    found = [web(options.host, options.port), worker(), beat()]
    if not os.environ.get("STRIPE_SECRET_KEY"):
        found.insert(0, stripe())
    if options.demo:
        found.append(Program("feed", manage("demo_feed")))
    return found


def web(host: str, port: int) -> Program:
    """Two workers, as measured for a small machine."""
    served = ["--host", host, "--port", str(port), "--interface", "wsgi", "--no-ws"]
    sized = ["--workers", "2", "--blocking-threads", "4", "--respawn-failed-workers", "--workers-kill-timeout", "5"]
    argv = module("granian", *served, *sized, "config.wsgi:application")
    return Program("web", argv, {"OUTLAST_PROCESS": "web"})


def worker() -> Program:
    """Celery, without the chatter between many workers."""
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    argv = module("celery", "-A", "config.celery", "worker", "-c", "2", "-l", "INFO", *alone)
    # Root is what a container gives; Celery's warning about it helps nobody here.
    return Program("worker", argv, {"OUTLAST_PROCESS": "worker", "C_FORCE_ROOT": "1"})


def beat() -> Program:
    """The scheduler, with its own state in the home."""
    schedule = str(home.home() / "run" / "beat-schedule")
    argv = module("celery", "-A", "config.celery", "beat", "-l", "INFO", "-s", schedule, "--pidfile=")
    return Program("beat", argv, {"OUTLAST_PROCESS": "worker"})


def stripe() -> Program:
    """The Stripe double."""
    return Program("stripe", module("config.local.stripe", "--port", str(home.port("stripe"))))


def choose_stripe_port() -> None:
    """Make sure that the double can listen: its address is written into the demo's payments."""
    if not os.environ.get("STRIPE_SECRET_KEY"):
        home.free_port("stripe")


def module(name: str, *options: str) -> list[str]:
    """A module of the environment as a program."""
    return [sys.executable, "-m", name, *options]


def manage(*command: str) -> list[str]:
    """A Django command."""
    return [sys.executable, str(home.ROOT / "manage.py"), *command]
