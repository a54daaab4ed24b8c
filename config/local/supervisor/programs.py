"""The programs that `manage.py up` runs, each as one command line."""

import argparse
import os
import sys
from dataclasses import dataclass, field

from config.local import home


@dataclass(frozen=True)
class Program:
    """A child of `up`: the name of its lines and its log, and how it is started.

    Lines that contain `chatter` go to its log alone: what beats every five seconds would bury what matters.
    """

    name: str
    argv: list[str]
    env: dict[str, str] = field(default_factory=dict)
    chatter: str = ""


def first(options: argparse.Namespace) -> list[Program]:
    """What must run for the system to be ready. The Stripe double only where no real key is set."""
    double = [] if os.environ.get("STRIPE_SECRET_KEY") else [stripe(options.address)]
    return [*double, web(options.host, options.port), live(), worker()]


def second(options: argparse.Namespace) -> list[Program]:
    """What has its first work seconds later, and would only slow the start. The score feed only with the demo."""
    issuer = [] if os.environ.get("OIDC_ISSUERS") else [oidc(options.address)]
    return [beat(), *issuer, *([Program("feed", manage("demo_feed"))] if options.demo else [])]


def web(host: str, port: int) -> Program:
    """Two workers, as measured for a small machine."""
    sized = ["--workers", "2", "--finish-seconds", "3"]
    argv = module("config.web.serving", "--host", host, "--port", str(port), *sized)
    # Nothing is collected here: files are served from where they lie.
    quiet = "ignore:No directory at"
    # Nobody stands in front who would have to notice that it is about to end.
    drain = os.environ.get("DRAIN_SECONDS") or "0"
    return Program("web", argv, {"OUTLAST_PROCESS": "web", "PYTHONWARNINGS": quiet, "DRAIN_SECONDS": drain})


def live() -> Program:
    """What is told over sockets and event streams, beside the web server and never in its way."""
    argv = module("config.live", "--host", "127.0.0.1", "--port", str(home.port("live")))
    return Program("live", argv, {"OUTLAST_PROCESS": "web", "PYTHONWARNINGS": "ignore:No directory at"})


def worker() -> Program:
    """Celery, without the chatter between many workers."""
    alone = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    argv = module("celery", "-q", "-A", "config.celery", "worker", "-c", "2", *alone)
    # Root is what a container gives; Celery's warning about it helps nobody here.
    quiet = "ignore:You're running the worker with superuser"
    return Program("worker", argv, {"OUTLAST_PROCESS": "worker", "PYTHONWARNINGS": quiet}, chatter=" INFO ")


def beat() -> Program:
    """The scheduler, with its own state in the home."""
    schedule = str(home.home() / "run" / "beat-schedule")
    argv = module("celery", "-q", "-A", "config.celery", "beat", "-s", schedule, "--pidfile=")
    return Program("beat", argv, {"OUTLAST_PROCESS": "worker"}, chatter=" INFO ")


def stripe(address: str) -> Program:
    """The Stripe double, which sends its webhooks to our web server."""
    keys = {
        name: os.environ.get(name) or home.secrets()[name] for name in ("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRETS")
    }
    to = ["--port", str(home.port("stripe")), "--webhook-url", f"{address}/api/v1/webhooks/stripe"]
    return Program("stripe", module("config.local.stripe", *to), keys)


def oidc(address: str) -> Program:
    """The OpenID Connect issuer, which sends browsers back to our web server."""
    callback = f"{address}/api/v1/auth/local/callback"
    to = ["--port", str(home.port("oidc")), "--redirect-uri", callback]
    secret = {"OIDC_CLIENT_SECRET": home.secrets()["OIDC_CLIENT_SECRET"]}
    return Program("oidc", module("config.local.oidc", *to), secret)


def choose_ports() -> None:
    """Make sure that the doubles can listen: the settings have their addresses, and the demo's payments as well."""
    if not os.environ.get("STRIPE_SECRET_KEY"):
        home.free_port("stripe")
    if not os.environ.get("OIDC_ISSUERS"):
        home.free_port("oidc")
    if not os.environ.get("LIVE_URL"):
        home.free_port("live")


def module(name: str, *options: str) -> list[str]:
    """A module of the environment as a program."""
    return [sys.executable, "-m", name, *options]


def manage(*command: str) -> list[str]:
    """A Django command."""
    return [sys.executable, str(home.ROOT / "manage.py"), *command]
