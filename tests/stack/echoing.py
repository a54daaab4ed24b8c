"""What granian serves through our front in `test_front`: an application of a few lines behind the gate."""

import hashlib
import json

BLOCK = b"x" * 100_000


class Stream:
    """So many blocks, made while they are sent."""

    streaming = True

    def __init__(self, blocks):
        self.blocks = blocks

    def __iter__(self):
        for _ in range(self.blocks):
            yield BLOCK


def echo(environ, start_response):
    """`/stream/N` is N blocks; whatever else is asked is told back."""
    path = environ["PATH_INFO"]
    if path.startswith("/stream/"):
        start_response("200 OK", [("Content-Type", "text/plain")])
        return Stream(int(path.rpartition("/")[2]))
    body = environ["wsgi.input"].read()
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told |= {"read": len(body), "sum": hashlib.sha256(body).hexdigest()}
    start_response("200 OK", [("Content-Type", "application/json"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    return [json.dumps(told).encode()]


def application():
    """Made once Django is set up."""
    import django

    django.setup()
    from config.web.front import Front
    from config.web.gate import Gate
    from config.web.lanes import Shares

    return Front(Gate(echo, shares=Shares(at_once=4, waiting=16), longest_wait=5, body_limit=10_000))
