import os
import socket
import stat
import subprocess
import sys

import pytest

from config.local import home
from tests.config.local.conftest import needs_root


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_made_with_its_folders_and_keeps_them_private(place):
    (place / "inside").mkdir()
    os.environ["OUTLAST_HOME"] = str(place / "inside" / "home")

    path = home.home()

    assert {entry.name for entry in path.iterdir()} == set(home.FOLDERS)
    assert {mode(path / name) for name in ("logs", "mail", "reports", "uploads", "run")} == {0o700}


def test_a_relative_home_lies_in_the_project_wherever_the_command_runs(monkeypatch, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setattr(home, "ROOT", tmp_path)
    monkeypatch.setenv("OUTLAST_HOME", "./state")

    assert home.home() == tmp_path / "state"
    monkeypatch.delenv("OUTLAST_HOME")
    assert home.home() == tmp_path / "var"


def test_secrets_are_drawn_once_and_readable_by_their_owner_alone(place):
    first = home.secrets()

    assert first.keys() == home.SECRETS.keys()
    assert len(set(first.values())) == len(first)
    assert home.secrets() == first
    assert mode(place / "secrets.json") == 0o600


def test_processes_that_start_together_share_one_set_of_secrets(place):
    ask = [sys.executable, "-c", "from config.local import home; print(sorted(home.secrets().items()))"]
    asked = [subprocess.Popen(ask, cwd=home.ROOT, stdout=subprocess.PIPE, text=True) for _ in range(4)]

    assert len({each.communicate()[0] for each in asked}) == 1


def test_a_secret_that_a_newer_version_needs_is_added_and_the_others_stay(place):
    home.write_json(place / "secrets.json", {"SECRET_KEY": "as it was"})

    assert home.secrets()["SECRET_KEY"] == "as it was"
    assert home.secrets()["JWT_SIGNING_KEY"]


@pytest.mark.parametrize("block", [0, 1, 2551, 2552])
def test_every_home_prefers_ports_of_its_own_below_the_range_of_outgoing_connections(place, monkeypatch, block):
    def ports_of(number):
        monkeypatch.setattr(home, "mark", lambda: f"{number:06x}0000")
        return [home.port(name) for name in home.PORTS]

    assert home.END_OF_PORTS == 32768
    assert (32768 - home.FIRST_PORT) // len(home.PORTS) == 2553
    ports, of_the_next = ports_of(block), ports_of(block + 1)
    assert ports == list(range(ports[0], ports[0] + len(home.PORTS)))
    assert all(home.FIRST_PORT <= port < 32768 for port in ports + of_the_next)
    assert not set(ports) & set(of_the_next)


def test_marks_beyond_the_last_block_of_ports_share_them_with_others(place, monkeypatch):
    """No mark leads beyond the range, however large."""
    for digits in ("ffffff", f"{2553:06x}", f"{2 * 2553 - 1:06x}"):
        monkeypatch.setattr(home, "mark", lambda digits=digits: f"{digits}0000")
        assert all(home.FIRST_PORT <= home.port(name) < 32768 for name in home.PORTS)


def test_the_address_of_the_stripe_double_stays(place):
    address = home.stripe_base()

    home.remember_port("redis", 1234)

    assert address == home.stripe_base() == f"http://127.0.0.1:{home.port('stripe')}"


def test_a_taken_port_is_given_up_for_a_free_one_which_is_remembered(place):
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", home.port("stripe")))
        stranger.listen()

        moved = home.free_port("stripe")

    assert home.port("stripe") == moved
    assert home.is_free(moved)


def test_a_file_that_was_half_written_counts_as_none(place):
    (place / "ports.json").write_text("{")

    assert home.port("redis") == home.port("redis")


def test_a_home_that_is_a_file_is_refused_with_its_name(place, monkeypatch):
    (place / "file").touch()
    monkeypatch.setenv("OUTLAST_HOME", str(place / "file"))

    with pytest.raises(home.HomeUnusable, match=f"{place}/file cannot be used"):
        home.home()


def test_a_large_log_is_put_aside_once(place, monkeypatch):
    monkeypatch.setattr(home, "LARGEST_LOG", 10)
    home.home()
    for text in (b"first, long\n", b"second\n"):
        with home.open_log("web.log") as log:
            log.write(text)

    assert (place / "logs" / "web.1.log").read_bytes() == b"first, long\n"
    assert (place / "logs" / "web.log").read_bytes() == b"second\n"


@needs_root
def test_what_root_makes_in_somebodys_home_is_theirs(place, monkeypatch):
    os.chown(place, 1, 1)
    monkeypatch.setenv("OUTLAST_HOME", str(place / "home"))

    home.secrets()
    home.open_log("web.log").close()

    made = [place / "home", *(place / "home").rglob("*")]
    assert {path.stat().st_uid for path in made} == {1}


def as_nobody(ask):
    """What `ask` raises when somebody without any rights runs it."""
    reading, writing = os.pipe()
    if os.fork() == 0:
        try:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
            ask()
        except (home.HomeUnusable, OSError) as failure:
            os.write(writing, f"{type(failure).__name__}: {failure}".encode())
        os._exit(0)
    os.close(writing)
    os.wait()
    with os.fdopen(reading) as answer:
        return answer.read()


@needs_root
def test_a_home_of_another_user_is_refused_with_a_way_out(place):
    home.home()

    assert as_nobody(home.home) == (
        f"HomeUnusable: OUTLAST_HOME {place} belongs to another user. Run as that user, or choose another folder."
    )


@needs_root
def test_secrets_of_another_user_are_refused_with_a_way_out(place):
    home.secrets()

    assert as_nobody(lambda: home.read_json(place / "secrets.json")) == (
        f"HomeUnusable: {place}/secrets.json belongs to another user. Run as that user, or choose another home."
    )
