"""Passwords that cost next to nothing, where what they cost in earnest is not what a test is about."""

from accounts.hashing import PatientArgon2PasswordHasher

LEAST = {"time_cost": 1, "memory_cost": 8, "parallelism": 1}


def make_quick(monkeypatch) -> None:
    """Argon2 with the least memory and one pass, until the end of the test."""
    for name, value in LEAST.items():
        monkeypatch.setattr(PatientArgon2PasswordHasher, name, value)
