"""Passwords that everybody knows, without asking anybody outside."""

import hashlib
import random

import pytest
from django.core.exceptions import ValidationError

from accounts.passwords_known import KEPT_BYTES, KnownPasswordValidator, _shipped, is_known
from config.local.known_passwords import build


def hash_of(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


@pytest.fixture
def pwned(settings, tmp_path):
    """A file as Pwned Passwords has it, of these passwords."""

    def write(*passwords: str, ending: str = "\r\n") -> None:
        path = tmp_path / "pwned.txt"
        lines = (f"{one}:{count}" for count, one in enumerate(sorted(map(hash_of, passwords)), 1))
        path.write_bytes("".join(line + ending for line in lines).encode())
        settings.BREACHED_PASSWORDS = path

    return write


@pytest.mark.parametrize("password", ["password123", "qwertyuiop", "QWERTYUIOP", "1q2w3e4r5t6y", "Password123"])
def test_the_commonest_are_known_in_any_case(password):
    assert is_known(password)


@pytest.mark.parametrize(
    "password", ["correct horse battery staple", "an analytical engine", "", "\ud800 lone", "x" * 128]
)
def test_others_are_not(password):
    assert not is_known(password)


def test_the_shipped_list_is_sorted_and_large():
    known = _shipped()
    parts = [known[at : at + KEPT_BYTES] for at in range(0, len(known), KEPT_BYTES)]

    assert parts == sorted(set(parts))
    assert len(parts) > 100_000


def test_hardly_any_good_password_is_taken_for_known():
    draw = random.Random(7)

    assert not any(is_known(f"{draw.getrandbits(80):x}") for _ in range(20_000))


def test_the_list_is_made_of_the_long_ones_in_both_cases(tmp_path):
    source, target = tmp_path / "words.txt", tmp_path / "known.bin"
    source.write_text("short\nElevenChars\nelevenchars\ntwelve chars\n")

    assert build(source, target) == 3
    assert len(target.read_bytes()) == 3 * KEPT_BYTES


@pytest.mark.parametrize("ending", ["\r\n", "\n"])
@pytest.mark.parametrize("size", [0, 1, 2, 3, 500])
def test_each_line_of_the_big_file_is_found_and_nothing_else(pwned, size, ending):
    passwords = [f"breached password {number}" for number in range(size)]
    pwned(*passwords, ending=ending)

    assert all(is_known(password) for password in passwords)
    assert not any(is_known(f"other password {number}") for number in range(50))


def test_a_file_that_went_away_refuses_nobody_and_is_told(settings, tmp_path, caplog):
    settings.BREACHED_PASSWORDS = tmp_path / "gone.txt"

    assert not is_known("correct horse battery staple")
    assert "cannot be read" in caplog.text
    assert is_known("password123")


def test_the_validator_says_why():
    with pytest.raises(ValidationError, match="stolen passwords"):
        KnownPasswordValidator().validate("password123")
    assert KnownPasswordValidator().validate("an analytical engine") is None
    assert "stolen" in KnownPasswordValidator().get_help_text()
