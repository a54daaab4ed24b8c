"""The client for other people's servers, against one that misbehaves."""

import gzip
import logging
import socket
import time

import pytest
from django.db import transaction

from config.http import (
    FEEDS,
    AddressRefused,
    BrokenOff,
    HttpFailed,
    Limits,
    StatusRefused,
    TimedOut,
    TooLarge,
    Unreachable,
    check_address,
    fetch,
    post_form,
)
from config.http.client import _wait_before
from config.http.failures import RETRIED
from tests.support import bad_server as bad
from tests.support.bad_server import BadServer

BODY = b"game_id,season\n2024_01_KC_BUF,2024\n"
# The server is a thread of ours: on a busy machine it may come late, and what is not about time must not notice.
QUICK = Limits(connect=1.0, read=0.5, total=3.0, attempts=3, backoff=0.01, longest_wait=1.0, largest_body=100_000)
ONCE = Limits(connect=1.0, read=0.5, total=3.0, attempts=1, largest_body=100_000)
# Only the whole time can run out: each piece has as much.
DRIPPING = Limits(connect=0.5, read=0.5, total=0.5, attempts=1)


@pytest.fixture
def server():
    with BadServer() as server:
        yield server


def refusal(server, kind: type[HttpFailed], limits: Limits = ONCE, **options) -> HttpFailed:
    with pytest.raises(kind) as caught:
        fetch(server.address(), limits=limits, **options)
    return caught.value


class TestAnswers:
    def test_a_body_comes_with_its_marks(self, server):
        server.does(bad.answer(BODY, ETag='"1"', Last_Modified="Sun, 08 Sep 2024 20:00:00 GMT"))
        answer = fetch(server.address(), limits=QUICK)
        assert (answer.body, answer.etag, answer.is_unchanged) == (BODY, '"1"', False)
        assert answer.last_modified == "Sun, 08 Sep 2024 20:00:00 GMT"
        assert server.asked[0].path == "/games.csv?token=hush"

    def test_what_we_have_is_not_sent_again(self, server):
        server.does(bad.marked(BODY, '"1"'))
        answer = fetch(server.address(), limits=QUICK, etag='"1"')
        assert (answer.is_unchanged, answer.body) == (True, b"")

    def test_a_server_without_marks_goes_by_the_date(self, server):
        server.does(bad.dated(BODY, 1_725_825_600))
        first = fetch(server.address(), limits=QUICK)
        assert fetch(server.address(), limits=QUICK, last_modified=first.last_modified).is_unchanged

    def test_unchanged_without_having_asked_is_refused(self, server):
        server.does(bad.status(304))
        assert refusal(server, StatusRefused).message == "the server answered 304 Not Modified"

    def test_a_compressed_body_is_unpacked(self, server):
        server.does(bad.zipped(BODY * 100))
        assert fetch(server.address(), limits=QUICK).body == BODY * 100

    def test_progress_is_told_as_it_came_over_the_wire(self, server):
        seen = []
        server.does(bad.zipped(BODY * 100))
        fetch(server.address(), limits=QUICK, progress=lambda done, size: seen.append((done, size)))
        size = len(gzip.compress(BODY * 100, mtime=0))
        assert seen[-1] == (size, size)


class TestTime:
    """Each of these would hold a caller without limits for a minute, or for ever."""

    @pytest.fixture(autouse=True)
    def in_time(self):
        started = time.monotonic()
        yield
        assert time.monotonic() - started < 30

    def test_a_server_that_says_nothing(self, server):
        server.does(bad.hang())
        assert refusal(server, TimedOut).message == "nothing came for 0.5 s"

    def test_headers_without_an_end(self, server):
        server.does(bad.slow_headers(every=0.02))
        assert refusal(server, TimedOut, DRIPPING).message == "no whole answer within 0.5 s"

    @pytest.mark.parametrize("has_length", [True, False])
    def test_a_body_that_drips(self, server, has_length):
        server.does(bad.slow_body(BODY * 50, every=0.02, has_length=has_length))
        assert refusal(server, TimedOut, DRIPPING).message == "no whole answer within 0.5 s"

    def test_a_body_that_stops(self, server):
        server.does(bad.slow_body(BODY, every=5))
        assert refusal(server, TimedOut).message == "nothing came for 0.5 s"

    def test_retries_share_the_time(self, server):
        server.does(bad.hang())
        limits = Limits(connect=0.5, read=0.2, total=1.2, attempts=50, backoff=0.01)
        refusal(server, TimedOut, limits)
        assert 2 <= len(server.asked) <= 6

    def test_a_queue_that_is_full(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(0)
            fillers = [socket.socket() for _ in range(8)]
            for filler in fillers:
                filler.setblocking(False)
                filler.connect_ex(listener.getsockname())
            with pytest.raises(TimedOut, match=r"no connection within 0\.3 s"):
                fetch(f"http://127.0.0.1:{listener.getsockname()[1]}/", limits=Limits(connect=0.3, attempts=1))
            for filler in fillers:
                filler.close()


class TestRetries:
    @pytest.mark.parametrize("code", sorted(RETRIED))
    def test_trouble_of_the_moment_is_tried_again(self, server, code):
        server.does(bad.status(code), bad.status(code), bad.answer(BODY))
        assert fetch(server.address(), limits=QUICK).body == BODY
        assert len(server.asked) == 3

    @pytest.mark.parametrize(
        "behaviour",
        [bad.reset(), bad.nonsense(b""), bad.cut(BODY, missing=5), bad.hang(), bad.zipped(BODY, missing=9)],
        ids=["reset", "closed at once", "cut off", "silent", "half a gzip"],
    )
    def test_a_lost_connection_is_tried_again(self, server, behaviour):
        server.does(behaviour, bad.answer(BODY))
        assert fetch(server.address(), limits=QUICK).body == BODY

    def test_it_gives_up_after_so_many(self, server):
        server.does(bad.status(503))
        assert refusal(server, StatusRefused, QUICK).message == "the server answered 503 Service Unavailable"
        assert len(server.asked) == 3

    @pytest.mark.parametrize("code", [400, 401, 403, 404, 410, 501])
    def test_a_no_is_a_no(self, server, code):
        server.does(bad.status(code), bad.answer(BODY))
        assert refusal(server, StatusRefused, QUICK).status == code
        assert len(server.asked) == 1

    def test_the_wait_that_a_server_asks_for_is_kept(self, server):
        server.does(bad.status(429, Retry_After="1"), bad.answer(BODY))
        started = time.monotonic()
        assert fetch(server.address(), limits=Limits(read=1, total=5, backoff=0.01, longest_wait=2)).body == BODY
        assert time.monotonic() - started >= 1

    def test_a_wait_too_long_is_handed_on(self, server):
        server.does(bad.status(429, Retry_After="120"), bad.answer(BODY))
        assert refusal(server, StatusRefused, QUICK).retry_after == 120
        assert len(server.asked) == 1

    def test_a_wait_that_is_none_counts_as_not_asked_for(self, server):
        server.does(bad.status(503, Retry_After="soon"), bad.answer(BODY))
        assert fetch(server.address(), limits=QUICK).body == BODY

    def test_waits_grow_and_are_never_the_same(self):
        failure, limits = Unreachable("no connection"), Limits(backoff=1.0)
        waits = {attempt: {_wait_before(attempt, failure, limits) for _ in range(50)} for attempt in (1, 2, 3)}
        assert all(len(found) == 50 for found in waits.values())
        assert all(0 <= wait <= 2 ** (n - 1) for n, found in waits.items() for wait in found)
        assert all(max(found) > 2 ** (n - 1) / 2 for n, found in waits.items())


class TestBodies:
    @pytest.mark.parametrize(
        "behaviour",
        [
            bad.cut(BODY, missing=1), bad.cut(BODY, missing=9, chunked=True), bad.zipped(BODY, missing=9),
            bad.answer(BODY, Content_Encoding="gzip"), bad.nonsense(), bad.nonsense(b"HTTP/1.1 2OO OK\r\n\r\n"),
            bad.answer(BODY, Transfer_Encoding="chunked"),
        ],
        ids=["short", "short chunk", "half a gzip", "no gzip", "no HTTP", "no status", "no chunks"],
    )  # fmt: skip
    def test_half_a_body_is_none(self, server, behaviour):
        server.does(behaviour)
        assert refusal(server, BrokenOff).message == "broken or incomplete"

    def test_an_encoding_that_we_did_not_ask_for_is_refused(self, server):
        server.does(bad.answer(BODY, Content_Encoding="br"))
        assert "encoding 'br'" in refusal(server, BrokenOff).message

    def test_a_length_beyond_the_limit_is_not_even_read(self, server):
        server.does(bad.answer(b"", Content_Length="100001"))
        assert refusal(server, TooLarge).message == "larger than 100000 bytes"

    def test_a_body_without_an_end_is_left(self, server):
        server.does(bad.endless())
        assert refusal(server, TooLarge, QUICK).message == "larger than 100000 bytes"
        assert len(server.asked) == 1

    def test_a_bomb_does_not_go_off(self, server):
        import tracemalloc

        server.does(bad.zipped(b"\0" * 30_000_000))
        tracemalloc.start()
        refusal(server, TooLarge)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000


class TestAddresses:
    def test_a_redirect_within_the_host_is_followed(self, server):
        server.does(bad.redirect("/moved.csv"), bad.redirect(server.address("/again.csv"), 307), bad.answer(BODY))
        assert fetch(server.address(), limits=QUICK).body == BODY
        assert [asked.path for asked in server.asked] == ["/games.csv?token=hush", "/moved.csv", "/again.csv"]

    def test_a_loop_ends(self, server):
        server.does(bad.redirect("/games.csv"))
        assert refusal(server, AddressRefused).message == "it redirects more than 3 times"
        assert len(server.asked) == 4

    @pytest.mark.parametrize(
        ("target", "message"),
        [
            ("http://localhost:9/x", "it redirects to another host, localhost"),
            ("//169.254.169.254/latest/meta-data", "it redirects to another host, 169.254.169.254"),
            ("file:///etc/passwd", "only http and https addresses with a host are fetched"),
            ("gopher://127.0.0.1/x", "only http and https addresses with a host are fetched"),
            ("http://user:word@127.0.0.1/x", "an address must not hold a name or password"),
            ("http://[", "it redirects to what is no address"),
        ],
    )
    def test_a_redirect_elsewhere_is_not_followed(self, server, target, message):
        server.does(bad.redirect(target), bad.answer(BODY))
        assert refusal(server, AddressRefused, QUICK).message == message
        assert len(server.asked) == 1

    @pytest.mark.parametrize("address", ["ftp://a.test/x", "/etc/passwd", "file:///x", "http://", "", "javascript:x"])
    def test_other_addresses_are_refused(self, address):
        with pytest.raises(AddressRefused):
            fetch(address)

    def test_hosts_can_be_listed(self, server, settings):
        settings.OUTGOING_HOSTS = ["feeds.example.org"]
        assert check_address("https://FEEDS.example.org/games.csv").host == "feeds.example.org"
        assert refusal(server, AddressRefused).message == "127.0.0.1 is not among the hosts of OUTGOING_HOSTS"
        assert server.asked == []

    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
    def test_where_strangers_are_served_our_own_network_is_closed(self, server, settings, host):
        settings.IS_SERVED = True
        server.does(bad.answer(BODY))
        with pytest.raises(AddressRefused, match="private network"):
            fetch(server.address().replace("127.0.0.1", host), limits=QUICK)
        assert server.asked == []

    def test_unless_it_is_listed(self, server, settings):
        settings.IS_SERVED, settings.OUTGOING_HOSTS = True, ["127.0.0.1"]
        server.does(bad.answer(BODY))
        assert fetch(server.address(), limits=QUICK).body == BODY

    def test_nobody_listening(self):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            with pytest.raises(Unreachable, match="no connection"):
                fetch(f"http://127.0.0.1:{probe.getsockname()[1]}/", limits=QUICK)

    def test_a_server_without_tls_is_not_spoken_to_in_the_clear(self, server):
        with pytest.raises(Unreachable, match="no secure connection"):
            fetch(server.address().replace("http:", "https:"), limits=ONCE)


def test_no_log_line_and_no_message_holds_the_query(server, caplog):
    caplog.set_level(logging.DEBUG)
    logging.getLogger("urllib3").setLevel(logging.INFO)
    server.does(bad.reset(), bad.status(503), bad.redirect("http://other.test/?token=hush"))
    failure = refusal(server, AddressRefused, QUICK)
    assert "hush" not in caplog.text + str(failure)
    assert "try 1 of 3 failed" in caplog.text


@pytest.mark.django_db(transaction=True)
def test_nobody_is_called_inside_a_transaction(server):
    with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
        fetch(server.address())
    assert server.asked == []


class TestForms:
    """Sent once: what a form asks for may have been done although no answer came."""

    def posted(self, server, limits=QUICK):
        return post_form(
            server.address("/token"), b"code=hush", purpose=FEEDS, headers={"Authorization": "Basic x"}, limits=limits
        )

    def test_the_answer_comes_back(self, server):
        server.does(bad.answer(b'{"a": 1}'))

        assert self.posted(server).body == b'{"a": 1}'
        [asked] = server.asked
        assert (asked.path, asked.headers["content-type"], asked.headers["authorization"]) == (
            "/token", "application/x-www-form-urlencoded", "Basic x",
        )  # fmt: skip

    @pytest.mark.parametrize("behaviour", [bad.status(503), bad.status(400), bad.redirect("/elsewhere"), bad.reset()])
    def test_it_is_sent_once_and_along_no_redirect(self, server, behaviour):
        server.does(behaviour, bad.answer(b"{}"))

        with pytest.raises(HttpFailed):
            self.posted(server)
        assert len(server.asked) == 1

    def test_it_does_not_wait_for_ever(self, server):
        server.does(bad.slow_body(b"x" * 1000, every=0.1))
        began = time.monotonic()

        with pytest.raises(TimedOut):
            self.posted(server, ONCE)
        assert time.monotonic() - began < 30  # the body alone would take 100

    @pytest.mark.django_db(transaction=True)
    def test_nor_inside_a_transaction(self, server):
        with transaction.atomic(), pytest.raises(RuntimeError, match="inside a transaction"):
            self.posted(server)
        assert server.asked == []
