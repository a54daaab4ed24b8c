"""The Stripe account the double plays: its name, its key, and the one webhook endpoint registered with it."""

from dataclasses import dataclass, field

# What the official client of requirements.txt pins; a test compares the two.
API_VERSION = "2026-10-28.endive"


@dataclass
class Endpoint:
    """Where events go. Disabled, it gets nothing more, and what was under way is not tried again."""

    url: str | None = None
    secret: str = ""
    enabled: bool = True
    signature_age: int = 0
    timeout: float = 20.0


@dataclass
class Account:
    base_url: str
    merchant: str = "Outlast"
    secret_key: str | None = None
    endpoint: Endpoint = field(default_factory=Endpoint)
