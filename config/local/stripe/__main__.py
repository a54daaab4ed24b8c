"""`python -m config.local.stripe`: starts the double and serves until it is told to stop."""

import argparse
import fcntl
import logging
import os
import signal
import sys
from pathlib import Path
from typing import IO, NoReturn
from urllib.parse import urlsplit

from config.local import stripe
from config.local.stripe.account import Account, Endpoint
from config.local.stripe.courier import Courier
from config.local.stripe.double import DATABASE, Double
from config.local.stripe.keys import PREFIX
from config.local.stripe.server import PortTaken, Server
from config.local.stripe.site import Site

DEFAULT_PORT = 8420


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    problem = _problem_with(options)
    if problem:
        return _fail(problem)
    logging.basicConfig(
        level=logging.WARNING if options.quiet else logging.INFO, format="%(asctime)s %(message)s", stream=sys.stderr
    )
    try:
        server = Server(options.port)
        lock = _hold(options.home)
    except (PortTaken, HomeTaken, OSError) as error:
        return _fail(str(error))
    with server, lock:
        _serve(server, options)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m config.local.stripe",
        description="A double of Stripe for this machine alone.",
        epilog=stripe.__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=DEFAULT_PORT, help="on 127.0.0.1; 0 takes a free one (%(default)s)")
    parser.add_argument(
        "--home",
        type=Path,
        default=Path(os.environ.get("OUTLAST_HOME") or "var"),
        help="the folder for its state ($OUTLAST_HOME, else ./var)",
    )
    parser.add_argument("--webhook-url", help="where events are sent; without it they are only recorded")
    parser.add_argument(
        "--webhook-secret",
        default=os.environ.get("STRIPE_WEBHOOK_SECRETS", "").split(",")[0].strip(),
        help="signs the webhooks (the first of $STRIPE_WEBHOOK_SECRETS)",
    )
    parser.add_argument(
        "--secret-key",
        default=os.environ.get("STRIPE_SECRET_KEY") or None,
        help="the only key it accepts ($STRIPE_SECRET_KEY; without one, any sk_test_ key)",
    )
    parser.add_argument("--merchant", default="Outlast", help="the name on the hosted page (%(default)s)")
    parser.add_argument("--quiet", action="store_true", help="log only what goes wrong")
    return parser


def _problem_with(options: argparse.Namespace) -> str | None:
    if options.secret_key is not None and not options.secret_key.startswith(PREFIX):
        return f"The secret key must be a test key ({PREFIX}…); the double never takes a live one."
    if options.webhook_url and urlsplit(options.webhook_url).scheme not in ("http", "https"):
        return "--webhook-url must be an http or https address."
    if options.webhook_url and not options.webhook_secret:
        return "Webhooks must be signed: give --webhook-secret, or set STRIPE_WEBHOOK_SECRETS."
    return None


class HomeTaken(Exception):
    """Another double keeps its state there."""


def _hold(home: Path) -> IO[str]:
    """The lock of this home; the kernel drops it when the process ends, however it ends."""
    path = home / DATABASE.with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = path.open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise HomeTaken(
            f"Another Stripe double is running with the home {home}. Stop it, or give another --home."
        ) from None
    return lock


def _serve(server: Server, options: argparse.Namespace) -> None:
    endpoint = Endpoint(options.webhook_url, options.webhook_secret)
    double = Double(options.home, Account(server.base_url, options.merchant, options.secret_key, endpoint))
    courier = Courier(double)
    server.site = Site(double, courier)
    courier.start()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop)
    print(f"Stripe double on {server.base_url}", flush=True)
    try:
        server.serve_forever()
    except SystemExit:
        pass
    finally:
        double.close()


def _stop(number: int, frame: object) -> NoReturn:
    """Leaves the serving loop at once; open connections and waiting webhooks are not waited for."""
    raise SystemExit(0)


def _fail(message: str) -> int:
    print(f"Stripe double: {message}", file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main())
