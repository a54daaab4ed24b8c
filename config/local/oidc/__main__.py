"""`python -m config.local.oidc`: serves until it is told to stop."""

import argparse
import os
import signal
import sys
from typing import NoReturn

from config.local import oidc
from config.local.oidc.server import Server


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m config.local.oidc", description=oidc.__doc__)
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; 0 takes a free one (%(default)s)")
    parser.add_argument("--client-id", default="outlast")
    parser.add_argument("--client-secret", default=os.environ.get("OIDC_CLIENT_SECRET") or None)
    parser.add_argument("--redirect-uri", action="append", required=True, help="where browsers may be sent back to")
    options = parser.parse_args()
    if not options.client_secret:
        parser.error("give --client-secret, or set OIDC_CLIENT_SECRET")
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, _stop)
    server = Server(
        options.port,
        client_id=options.client_id,
        client_secret=options.client_secret,
        redirect_uris=options.redirect_uri,
    )
    with server:
        print(f"OpenID Connect issuer on {server.url}", flush=True)
        try:
            server.serve_forever()
        except SystemExit:
            return 0
    return 0


def _stop(number: int, frame: object) -> NoReturn:
    raise SystemExit(0)


if __name__ == "__main__":
    sys.exit(main())
