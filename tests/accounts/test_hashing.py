"""A password is hashed by a thread that stands back, in a web process; the hash is the same."""

import os
import threading

import pytest
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import hashing
from accounts.hashing import LOWEST, PatientArgon2PasswordHasher

PASSWORD = "correct horse battery staple"


@pytest.fixture
def hasher():
    return PatientArgon2PasswordHasher()


@pytest.mark.parametrize("process", ["web", "command"])
def test_hashes_are_those_of_django_in_both_directions(settings, hasher, process):
    settings.OUTLAST_PROCESS = process
    theirs = Argon2PasswordHasher()
    salt = theirs.salt()
    ours = hasher.encode(PASSWORD, salt)
    assert ours == theirs.encode(PASSWORD, salt)
    assert theirs.verify(PASSWORD, ours)
    assert hasher.verify(PASSWORD, ours)
    assert not hasher.verify("wrong", ours)
    assert not hasher.must_update(ours)


def priority_of_work(settings, process):
    settings.OUTLAST_PROCESS = process
    return hashing._patiently(
        lambda: (threading.get_ident(), os.getpriority(os.PRIO_PROCESS, threading.get_native_id()))
    )


def test_in_a_web_process_a_thread_of_lowest_priority_does_it_and_nobody_else_steps_back(settings):
    before = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    thread, priority = priority_of_work(settings, "web")
    assert (thread != threading.get_ident(), priority) == (True, LOWEST)
    assert os.getpriority(os.PRIO_PROCESS, threading.get_native_id()) == before


def test_elsewhere_it_is_done_where_it_is_asked_for(settings):
    assert priority_of_work(settings, "command")[0] == threading.get_ident()


def test_what_goes_wrong_is_told(settings):
    settings.OUTLAST_PROCESS = "web"
    with pytest.raises(ZeroDivisionError):
        hashing._patiently(lambda: 1 / 0)
