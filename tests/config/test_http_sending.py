"""Calls of any kind: what is sent, what is tried again, where it may lead, connections that are kept."""

import ipaddress
import socket
import threading

import pytest

from config import tracing
from config.http import (
    SUBSCRIBERS,
    AddressRefused,
    Limits,
    NotConnected,
    Purpose,
    TooLarge,
    Unreachable,
    check_address,
    send,
)
from config.http.inward import refuse_number
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer

ANYWHERE = Purpose("tests")
QUICK = Limits(connect=1.0, read=2.0, total=5.0, attempts=3, backoff=0.001, largest_body=1000)


@pytest.fixture
def server():
    with BadServer() as server:
        yield server


def post(server, **options):
    return send("POST", server.address(), **{"purpose": ANYWHERE, "limits": QUICK, **options})


class TestSending:
    def test_any_status_is_an_answer(self, server):
        server.does(bad.answer(b"no", 418, X_Word="teapot"))
        answer = post(server)
        assert (answer.status, answer.body, answer.headers["x-word"]) == (418, b"no", "teapot")

    def test_what_may_have_been_done_is_not_done_twice(self, server):
        server.does(bad.status(503), bad.status(200))
        assert post(server).status == 503
        assert len(server.asked) == 1

    @pytest.mark.parametrize("key", ["Idempotency-Key", "webhook-id"])
    def test_what_carries_a_key_is_tried_again(self, server, key):
        server.does(bad.status(503), bad.reset(), bad.status(200))
        assert post(server, headers={key: "k-1"}).status == 200
        assert [asked.headers[key.lower()] for asked in server.asked] == ["k-1"] * 3

    def test_the_last_answer_stands_when_all_tries_fail(self, server):
        server.does(bad.answer(b"down", 503))
        answer = send("GET", server.address(), purpose=ANYWHERE, limits=QUICK)
        assert (answer.status, answer.body, len(server.asked)) == (503, b"down", 3)

    def test_a_redirect_is_an_answer_and_is_not_followed(self, server):
        server.does(bad.redirect("http://169.254.169.254/latest"), bad.answer(b"never"))
        assert (post(server).status, len(server.asked)) == (302, 1)

    def test_both_ends_can_find_each_others_lines(self, server):
        server.does(bad.status(200))
        with tracing.begin(request_id="r-77") as work:
            post(server)
        headers = server.asked[0].headers
        assert (headers["x-request-id"], headers["traceparent"]) == ("r-77", work.trace.traceparent)

    def test_a_large_answer_is_refused_or_cut(self, server):
        server.does(bad.answer(b"x" * 5000))
        with pytest.raises(TooLarge):
            post(server)
        cut = Limits(total=5, attempts=1, largest_body=1000, cuts_body=True)
        assert post(server, limits=cut).body == b"x" * 1000

    def test_an_endless_answer_is_cut(self, server):
        server.does(bad.endless())
        cut = Limits(total=5, attempts=1, largest_body=1000, cuts_body=True)
        assert post(server, limits=cut).body == b"x" * 1000


class TestKeptConnections:
    def test_the_next_call_goes_over_the_same_one(self, kept_server):
        for number in range(5):
            answer = send("GET", kept_server.address, purpose=ANYWHERE, limits=QUICK, keeps_connection=True)
            assert answer.body == f"{number}".encode()
        assert kept_server.connections == 1

    def test_one_that_the_server_closed_is_made_anew(self, kept_server):
        kept_server.calls_each = 1
        for _ in range(3):
            assert send("GET", kept_server.address, purpose=ANYWHERE, limits=QUICK, keeps_connection=True).status == 200
        assert kept_server.connections == 3


class KeptServer:
    """Answers call after call over one connection, with their number."""

    def __init__(self):
        self.connections = self.calls = 0
        self.calls_each = 100
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}/"

    def serve(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection:
                for _ in range(self.calls_each):
                    if b"\r\n\r\n" not in connection.recv(4096):
                        break
                    body = str(self.calls).encode()
                    self.calls += 1
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    def stop(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def kept_server():
    import threading

    server = KeptServer()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    yield server
    server.stop()


# What none of ours may be led to, in every way to write it that a resolver understands.
INWARD = [
    "127.0.0.1", "127.9.9.9", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "169.254.169.254", "0.0.0.0",
    "224.0.0.1", "239.255.255.250", "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "::", "::1", "fe80::1",
    "fc00::1", "fd00:ec2::254", "ff02::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::ffff:10.0.0.1",
    "64:ff9b::127.0.0.1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::", "2002:a9fe:a9fe::", "2001:0:7f00:1::", "2001:db8::1",
    "fec0::1", "64:ff9b:1::1",
]  # fmt: skip
OUTWARD = ["93.184.215.14", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::93.184.215.14", "::ffff:93.184.215.14"]


class TestWhereItMayLead:
    @pytest.mark.parametrize("number", INWARD)
    def test_no_number_of_ours(self, settings, number):
        settings.OUTGOING_LOOPBACK = False
        with pytest.raises(AddressRefused, match="private network"):
            refuse_number(SUBSCRIBERS, "hooks.test", number)

    @pytest.mark.parametrize("number", OUTWARD)
    def test_those_in_the_open(self, settings, number):
        settings.OUTGOING_LOOPBACK = False
        refuse_number(SUBSCRIBERS, "hooks.test", number)

    @pytest.mark.parametrize("number", [number for number in INWARD if not number.endswith(("127.0.0.1", "::1"))])
    def test_the_setting_for_this_machine_opens_nothing_else(self, number):
        if ipaddress.ip_address(number).is_loopback or number == "64:ff9b:1::1":
            return
        with pytest.raises(AddressRefused):
            refuse_number(SUBSCRIBERS, "hooks.test", number)

    def test_a_name_is_looked_up_once_and_the_judged_number_is_called(self, server, monkeypatch, settings):
        """The owner of a name answers with a good number first, and with ours a moment later."""
        answers = iter([["127.0.0.1"], ["10.0.0.1"]])
        asked = []

        def resolve(host, port, *args, **options):
            if not host.endswith(".test"):
                return real(host, port, *args, **options)
            asked.append(host)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in next(answers)]

        real = socket.getaddrinfo
        monkeypatch.setattr(socket, "getaddrinfo", resolve)
        server.does(bad.status(200))
        address = server.address().replace("127.0.0.1", "rebinding.test")

        assert send("POST", address, purpose=ANYWHERE, limits=QUICK).status == 200
        assert asked == ["rebinding.test"]
        assert server.asked[0].headers["host"].startswith("rebinding.test")
        with pytest.raises(AddressRefused):
            send("POST", address, purpose=ANYWHERE, limits=QUICK)
        assert len(server.asked) == 1

    def test_one_bad_number_of_several_spoils_the_name(self, server, monkeypatch):
        numbers = ["127.0.0.1", "169.254.169.254"]
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, 80)) for number in numbers]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
        with pytest.raises(AddressRefused):
            send("POST", server.address().replace("127.0.0.1", "two.test"), purpose=ANYWHERE, limits=QUICK)
        assert server.asked == []

    def test_the_next_number_is_tried_where_one_does_not_answer(self, server, monkeypatch):
        real = socket.getaddrinfo
        port = int(server.address().split(":")[2].split("/")[0])
        found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (number, port)) for number in ("127.0.0.77", "127.0.0.1")]
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *a, **o: found if host == "two.test" else real(host, *a, **o)
        )
        server.does(bad.status(200))
        answer = send("POST", server.address().replace("127.0.0.1", "two.test"), purpose=ANYWHERE, limits=QUICK)
        assert answer.status == 200

    @pytest.mark.parametrize("host", ["nobody.invalid", f"{'a' * 64}.test"])
    def test_a_name_of_nobody_is_no_connection(self, host):
        with pytest.raises(Unreachable, match="no connection"):
            send("GET", f"http://{host}/", purpose=ANYWHERE, limits=Limits(attempts=1))

    def test_a_name_that_is_looked_up_for_ever_is_not_waited_for(self, monkeypatch):
        may_end = threading.Event()
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: may_end.wait(60))
        with pytest.raises(NotConnected, match=r"no connection within 0\.1 s"):
            send("GET", "http://slow.test/", purpose=ANYWHERE, limits=Limits(connect=0.1, attempts=1))
        may_end.set()

    @pytest.mark.parametrize(
        ("address", "why"),
        [
            ("http://hooks.test/", "it must begin with https://"),
            ("https://hooks.test:22/", "its port must be 443 or 8443"),
            ("https://hooks.test:6379/", "its port must be 443 or 8443"),
            ("https://me:secret@hooks.test/", "an address must not hold a name or password"),
            ("gopher://hooks.test/", "only http and https addresses with a host are fetched"),
            ("https://hooks.test/" + "x" * 2000, "only http and https addresses with a host are fetched"),
        ],
    )
    def test_subscribers_addresses_are_https_at_its_ports(self, address, why):
        with pytest.raises(AddressRefused) as refused:
            check_address(address, purpose=SUBSCRIBERS)
        assert refused.value.message == why

    def test_hosts_are_those_of_the_purpose(self):
        one = Purpose("one", hosts=lambda: ("api.example.org",), listed_in="our list")
        assert check_address("https://api.example.org/x", purpose=one).host == "api.example.org"
        with pytest.raises(AddressRefused, match=r"other\.test is not among our list"):
            check_address("https://other.test/x", purpose=one)

    def test_this_machine_is_closed_where_the_setting_says_so(self, server, settings):
        settings.OUTGOING_LOOPBACK = False
        with pytest.raises(AddressRefused):
            post(server)
        assert server.asked == []
