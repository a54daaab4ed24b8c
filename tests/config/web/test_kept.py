"""How many look at kept pages at once in front of the gate."""

import threading
from io import BytesIO

from config.web.kept import Reader
from tests.support.running import wait_for

PATH = "/api/v1/pools/1/standings"


def call(application, path=PATH):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "QUERY_STRING": "", "SERVER_NAME": "testserver",
        "SERVER_PORT": "80", "HTTP_HOST": "testserver", "REMOTE_ADDR": "198.18.0.1", "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
    }  # fmt: skip
    return b"".join(application(environ, lambda *_: None))


def behind(environ, start_response):
    start_response("200 OK", [])
    return [b"went on"]


class Slow:
    """Looks for a page until it is told to find none."""

    def __init__(self):
        self.asked, self.over = [], threading.Event()

    def __call__(self, asked):
        self.asked.append(asked)
        assert self.over.wait(30)


def test_who_comes_while_enough_look_goes_on_at_once_and_a_place_is_given_back():
    slow = Slow()
    application = Reader(behind, slow, at_once=2)
    lookers = [threading.Thread(target=call, args=(application,)) for _ in range(2)]
    for one in lookers:
        one.start()
    wait_for(lambda: len(slow.asked) == 2, seconds=30)

    assert call(application) == b"went on"
    assert len(slow.asked) == 2
    slow.over.set()
    for one in lookers:
        one.join(30)
    assert call(application) == b"went on"
    assert len(slow.asked) == 3


def test_a_place_is_given_back_when_looking_fails():
    def fails(asked):
        raise RuntimeError("broken")

    application = Reader(behind, fails, at_once=1)
    for _ in range(3):
        try:
            call(application)
        except RuntimeError:
            continue
        raise AssertionError("the fault was hidden, or nobody looked")
