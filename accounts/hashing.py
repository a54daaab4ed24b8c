"""Hashing passwords without getting in anybody's way.

A hash costs a processor some hundredths of a second and 19 MiB, on purpose. In a web process it is done by one thread
of the lowest priority: whoever signs in waits for whoever saves a pick, never the other way round. Hashing holds no
lock of the interpreter meanwhile.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher

LOWEST = 19

T = TypeVar("T")


class PatientArgon2PasswordHasher(Argon2PasswordHasher):
    """Argon2id as Django writes it, at half as much again as OWASP's least: 19 MiB, three passes instead of two.

    Django's own 100 MiB in eight threads take all processors from everybody else, seven times as long. A hash of other
    parameters is good, and is replaced when its owner signs in.
    """

    memory_cost = 19 * 1024
    time_cost = 3
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """The hash of a new password."""
        return _patiently(lambda: super(PatientArgon2PasswordHasher, self).encode(password, salt))

    def verify(self, password: str, encoded: str) -> bool:
        """Whether the password is that of the hash."""
        return _patiently(lambda: super(PatientArgon2PasswordHasher, self).verify(password, encoded))


def _patiently(work: Callable[[], T]) -> T:
    """By the thread of low priority where there is somebody to get in the way of; a command has nobody."""
    return _thread().submit(work).result() if settings.OUTLAST_PROCESS == "web" else work()


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="hashing", initializer=_step_back)


def _step_back() -> None:
    """Of this thread alone, as Linux has it."""
    os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), LOWEST)
