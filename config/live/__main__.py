"""`python -m config.live`: the process that tells what happens."""

import argparse
import os


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="python -m config.live", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8001)
    options = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ["OUTLAST_PROCESS"] = os.environ.get("OUTLAST_PROCESS") or "web"
    # Settings, which the server's figures need, are read by what is imported from here on.
    import django

    django.setup()
    from config.live.server import serve

    serve("config.asgi:application", host=options.host, port=options.port)


if __name__ == "__main__":
    main()
