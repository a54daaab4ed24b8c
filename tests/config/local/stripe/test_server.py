"""The process: starting, stopping, dying, coming back, and plain HTTP."""

import http.client
import socket
import subprocess
import sys
import threading
import time

import pytest
import requests
import stripe

from tests.config.local.stripe.conftest import KEY, client_of, open_session, paid_session
from tests.support.stripe_double import ROOT, DoubleProcess, call


def run(*arguments, env=None):
    return subprocess.run(
        [sys.executable, "-m", "config.local.stripe", *map(str, arguments)],
        cwd=ROOT, env=env, capture_output=True, text=True, timeout=20,
    )  # fmt: skip


def test_help_tells_how_to_use_it():
    result = run("--help")

    assert result.returncode == 0
    for word in ("--port", "--home", "--webhook-url", "STRIPE_WEBHOOK_SECRETS", "/_double/clock", "4242424242424242"):
        assert word in result.stdout


def test_busy_port_gets_a_clear_message(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        result = run("--port", port, "--home", tmp_path)

    assert result.returncode == 2
    assert f"127.0.0.1:{port}" in result.stderr
    assert "--port" in result.stderr
    assert "Traceback" not in result.stderr


def test_second_double_with_the_same_home_is_refused(tmp_path):
    with DoubleProcess(tmp_path):
        result = run("--port", 0, "--home", tmp_path)

    assert result.returncode == 2
    assert "Another Stripe double" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--secret-key", "sk_live_1"], "never takes a live one"),
        (["--webhook-url", "http://127.0.0.1/", "--webhook-secret", ""], "must be signed"),
        (["--webhook-url", "127.0.0.1", "--webhook-secret", "x"], "http or https"),
        (["--port", "99999"], "Cannot listen"),
    ],
)
def test_impossible_options_are_refused(tmp_path, arguments, said):
    options = arguments if "--port" in arguments else ["--port", "0", *arguments]

    result = run("--home", tmp_path, *options)

    assert result.returncode == 2
    assert said in result.stderr


def test_it_listens_on_the_loopback_address_alone(double):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9)) if _has_route() else pytest.skip("this machine has no other address")
        own_address = probe.getsockname()[0]
    if own_address.startswith("127."):
        pytest.skip("this machine has no other address")

    with pytest.raises(OSError), socket.create_connection((own_address, double.port), timeout=2):
        pass


def _has_route():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        return probe.connect_ex(("192.0.2.1", 9)) == 0


def test_sigterm_ends_it_at_once_even_while_it_is_busy(tmp_path):
    with DoubleProcess(tmp_path) as double:
        double.fault(action="delay_before", seconds=60)
        waiting = threading.Thread(target=_open_in_vain, args=(double,))
        waiting.start()
        time.sleep(0.3)

        started = time.monotonic()
        code = double.stop()
        elapsed = time.monotonic() - started
        waiting.join()

        assert code == 0
        assert elapsed < 30
        assert "Traceback" not in double.log()


def _open_in_vain(double):
    with pytest.raises(stripe.APIConnectionError):
        open_session(client_of(double))


def test_kill_and_restart_keep_everything_that_was_answered(tmp_path):
    with DoubleProcess(tmp_path) as double:
        client = client_of(double)
        paid = paid_session(double, client)
        waiting = open_session(client, key="k1")
        double.advance(3600)
        port = double.port
        double.kill()

        double.start()

        assert double.port == port
        assert client.v1.checkout.sessions.retrieve(paid.id).payment_status == "paid"
        assert client.v1.balance.retrieve().pending[0].amount == 4825
        assert open_session(client, key="k1").id == waiting.id
        assert double.control("GET", "/clock")["ahead_of_real_time"] == 3600
        assert double.pay(waiting.url)[0] == 200


def test_kill_under_load_loses_no_answered_session(tmp_path):
    with DoubleProcess(tmp_path) as double:
        answered = []

        def create(number):
            client = client_of(double)
            while True:
                try:
                    answered.append(open_session(client, key=f"{number}:{len(answered)}").id)
                except stripe.APIConnectionError:
                    return

        threads = [threading.Thread(target=create, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        time.sleep(1)
        double.kill()
        for thread in threads:
            thread.join()

        double.start()

        kept = {session["id"] for session in double.state()["objects"]["checkout.session"]}
        assert len(answered) > 3
        assert set(answered) <= kept


def test_session_expired_while_it_was_down(tmp_path):
    with DoubleProcess(tmp_path) as double:
        client = client_of(double)
        session = open_session(client)
        double.advance(24 * 3600 - 1)
        double.stop()
        time.sleep(1.2)

        double.start()

        assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"


def test_address_of_an_open_session_follows_the_port(tmp_path):
    with DoubleProcess(tmp_path) as double:
        session = open_session(client_of(double))
        double.stop()
        double.port = 0

        double.start()

        assert client_of(double).v1.checkout.sessions.retrieve(session.id).url.startswith(f"{double.base_url}/pay/")


def test_only_the_given_key_is_taken_when_one_was_given(tmp_path):
    with DoubleProcess(tmp_path, secret_key="sk_test_mine") as double:
        for key, status in (("sk_test_mine", 200), (KEY, 401)):
            answer = requests.get(f"{double.base_url}/v1/balance", auth=(key, ""), timeout=10)
            assert answer.status_code == status


@pytest.mark.parametrize(
    ("header", "status"),
    [
        (f"Bearer {KEY}", 200),
        ("Basic c2tfdGVzdF94Og==", 200),
        ("Bearer sk_test_", 401),
        ("Bearer sk_live_4eC39HqLyjWDarjtT1zdp7dc", 401),
        ("Bearer pk_test_x", 401),
        ("Basic !!!", 401),
        ("Digest x", 401),
        (None, 401),
    ],
)
def test_keys_come_as_bearer_or_basic_and_only_for_test_mode(double, header, status):
    headers = {} if header is None else {"Authorization": header}

    code, answer = call("GET", f"{double.base_url}/v1/balance", headers=headers)

    assert code == status
    if status == 401:
        assert answer["error"]["type"] == "invalid_request_error"
        assert "4eC39HqLyjWDarjtT1zd" not in answer["error"]["message"]


def test_every_answer_names_its_request_and_version(double):
    answer = requests.get(f"{double.base_url}/v1/nothing", auth=(KEY, ""), timeout=10)

    assert answer.status_code == 404
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert answer.headers["Request-Id"].startswith("req_")
    assert answer.headers["Stripe-Version"] == "2026-10-28.endive"
    assert call("GET", f"{double.base_url}/favicon.ico")[0] == 404


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        ('{"amount": 5000}', "application/json"),
        (b"amount=\xff", "application/x-www-form-urlencoded"),
        ("amount=%FF", "application/x-www-form-urlencoded"),
        ("amount[=1", "application/x-www-form-urlencoded"),
        ("a=1&a[b]=2", "application/x-www-form-urlencoded"),
        ("a[b]=2&a=1", "application/x-www-form-urlencoded"),
        ("a[b][c][d][e][f][g][h][i]=1", "application/x-www-form-urlencoded"),
        ("&".join("a=1" for _ in range(1001)), "application/x-www-form-urlencoded"),
    ],
)
def test_bodies_that_cannot_be_read_are_malformed(double, body, content_type):
    answer = requests.post(
        f"{double.base_url}/v1/payment_intents",
        data=body, headers={"Content-Type": content_type}, auth=(KEY, ""), timeout=10,
    )  # fmt: skip

    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def raw(double, text):
    """The status line and the rest of the answer to exactly these bytes."""
    with socket.create_connection(("127.0.0.1", double.port), timeout=10) as connection:
        connection.sendall(text)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read().decode()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        (b"PUT /v1/balance HTTP/1.1\r\nHost: x\r\n\r\n", 405),
        (b"POST /v1/refunds HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", 411),
        (b"POST /v1/refunds HTTP/1.1\r\nHost: x\r\nContent-Length: -5\r\n\r\n", 400),
        (b"POST /v1/refunds HTTP/1.1\r\nHost: x\r\nContent-Length: 1000001\r\n\r\n", 413),
        (b"nonsense\r\n\r\n", 400),
    ],
)
def test_broken_http_gets_json_too(double, text, status):
    code, body = raw(double, text)

    assert code == status
    assert body.startswith('{"error":')


def test_caller_that_leaves_in_mid_sentence_harms_nobody(double, client):
    with socket.create_connection(("127.0.0.1", double.port), timeout=10) as connection:
        connection.sendall(b"POST /v1/refunds HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\namount=")

    assert open_session(client).status == "open"


def test_it_starts_without_django():
    result = subprocess.run(
        [sys.executable, "-c", "import sys, config.local.stripe.__main__; print('django' in sys.modules)"],
        cwd=ROOT, capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip

    assert result.stdout.strip() == "False"
