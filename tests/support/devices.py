"""A device for one-time codes, as a person carries it."""

import time
from datetime import UTC, datetime

import pyotp

from accounts.models import Totp

SECONDS = 30


class Device:
    """Shows codes that were not used yet: of this half minute, then of the next.

    Never of the one before: should the next one begin meanwhile, it would be too old.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self._last = 0

    def code(self) -> str:
        """The earliest of them that was not shown before."""
        present = int(time.time()) // SECONDS
        self._last = max(self._last + 1, present)
        assert self._last <= present + 1, "this device has shown both codes that are good for a while"
        return self.at(self._last)

    def beside(self, steps: int) -> str:
        """The code of so many half minutes from now."""
        return self.at(int(time.time()) // SECONDS + steps)

    def at(self, step: int) -> str:
        return pyotp.TOTP(self.secret).generate_otp(step)

    def wrong(self) -> str:
        """Six digits that no device of this secret shows around now."""
        good = {self.beside(steps) for steps in range(-3, 4)}
        return next(code for number in range(10) if (code := f"{number:06}") not in good)


def give_device(user) -> Device:
    """A second factor that was set up long ago."""
    secret, long_ago = pyotp.random_base32(), int(time.time()) // SECONDS - 9
    Totp.objects.create(user=user, secret=secret, confirmed_at=datetime(2026, 1, 1, tzinfo=UTC), last_step=long_ago)
    return Device(secret)
