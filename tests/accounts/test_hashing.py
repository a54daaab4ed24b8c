"""A password is hashed by a thread that stands back, in a web process; the hash is the same."""

import os
import threading

import pytest
from argon2 import Type, extract_parameters
from django.contrib.auth.hashers import Argon2PasswordHasher

from accounts import hashing
from accounts.hashing import LOWEST, PatientArgon2PasswordHasher
from accounts.models import User
from accounts.services.sessions import sign_in
from tests.factories.accounts import UserFactory

PASSWORD = "correct horse battery staple"


@pytest.fixture(autouse=True)
def _quick_hashes():
    """Not here, as elsewhere about accounts: what a hash costs is what this is about."""


@pytest.fixture
def hasher():
    return PatientArgon2PasswordHasher()


@pytest.mark.parametrize("process", ["web", "command"])
def test_hashes_are_those_of_django_in_both_directions(settings, hasher, process):
    settings.OUTLAST_PROCESS = process
    theirs = Argon2PasswordHasher()
    ours = hasher.encode(PASSWORD, hasher.salt())
    assert theirs.verify(PASSWORD, ours)
    assert hasher.verify(PASSWORD, ours)
    assert not hasher.verify("wrong", ours)
    assert not hasher.must_update(ours)


def test_a_hash_costs_at_least_what_owasp_asks_for(hasher):
    """19 MiB in two passes by one thread, of Argon2id in its present version."""
    said = extract_parameters(hasher.encode(PASSWORD, hasher.salt()).removeprefix("argon2"))
    assert (said.type, said.version, said.parallelism) == (Type.ID, 19, 1)
    assert said.memory_cost >= 19 * 1024
    assert said.time_cost >= 2
    assert (said.salt_len, said.hash_len) >= (16, 16)


@pytest.mark.django_db
def test_a_hash_of_other_parameters_is_good_and_replaced_when_its_owner_signs_in():
    theirs = Argon2PasswordHasher()
    user = UserFactory()
    User.objects.filter(pk=user.pk).update(password=theirs.encode(PASSWORD, theirs.salt()))

    sign_in(email=user.email, password=PASSWORD)

    replaced = User.objects.get(pk=user.pk).password
    assert "$m=19456,t=3,p=1$" in replaced
    assert sign_in(email=user.email, password=PASSWORD).user.password == replaced


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
