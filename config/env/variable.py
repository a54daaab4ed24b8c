"""What a setting is: its name, its meaning, how its text is read, what stands in for it, and where it must be given."""

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# No key or password that was drawn at random contains one of these.
SAMPLE_WORDS = ("sample", "change-me", "changeme", "insecure", "your-own")


class Environment(StrEnum):
    """Where this process runs."""

    LOCAL = "local"
    TEST = "test"
    STAGING = "staging"
    PRODUCTION = "production"

    @property
    def is_served(self) -> bool:
        """Whether strangers can reach it, so that nothing may be left to a default."""
        return self in (Environment.STAGING, Environment.PRODUCTION)


@dataclass(frozen=True)
class Variable:
    """One setting: what it means, how it is read, what stands in for it, and where it must be given."""

    name: str
    meaning: str
    sample: str
    parse: Callable[[str], Any] = str
    default: str = ""
    test_default: str | None = None
    required_when_served: bool = False
    secret_length: int = 0
    check: Callable[[Any, Environment], str] = field(default=lambda value, environment: "")

    def default_for(self, environment: Environment) -> str | None:
        """The text that stands in when the variable is not set; None where it must be set."""
        if environment.is_served and self.required_when_served:
            return None
        if environment is Environment.TEST and self.test_default is not None:
            return self.test_default
        return self.default

    def read(self, text: str, environment: Environment) -> Any:
        """The value of `text`, or of the default when it is blank. Raises ValueError with what is wrong."""
        given = text.strip()
        if not given:
            standby = self.default_for(environment)
            if standby is None:
                raise ValueError("is missing")
            return self.parse(standby)
        if environment.is_served:
            self._refuse_sample(given)
        if self.secret_length and len(given) < self.secret_length:
            raise ValueError(f"must have at least {self.secret_length} characters")
        value = self.parse(given)
        fault = self.check(value, environment)
        if fault:
            raise ValueError(fault)
        return value

    def _refuse_sample(self, given: str) -> None:
        """Refuse what a stranger could guess: our own samples, and keys nobody drew at random."""
        if self.sample and given == self.sample and self.required_when_served:
            raise ValueError("must not be the sample of .env.example")
        lowered = given.lower()
        if any(word in lowered for word in SAMPLE_WORDS) and (self.secret_length or "://" in given):
            raise ValueError("must not contain a sample or default value")
        if self.secret_length >= 40 and len(set(given)) < 16:
            raise ValueError("must be random: it repeats too few characters")
