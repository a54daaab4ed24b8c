"""Identifiers that look like Stripe's: a prefix that says what it is, then letters and digits."""

import hashlib
import secrets
import string

ALPHABET = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 24) -> str:
    return f"{prefix}_{''.join(secrets.choice(ALPHABET) for _ in range(length))}"


def fingerprint_of(number: str) -> str:
    """Stripe's name for the number of a card or an account: the same for the same one, and nothing leads back."""
    return hashlib.sha256(f"fingerprint:{number}".encode()).hexdigest()[:16]
