"""The Stripe account the double plays: its name, its key, and the one webhook endpoint registered with it."""

from dataclasses import dataclass, field

# What the official client of requirements.txt pins; a test compares the two.
API_VERSION = "2026-10-28.endive"


STYLES = ("snapshot", "thin", "both")


@dataclass
class Endpoint:
    """Where events go, and in which form. Disabled, it gets nothing more, and what was under way is not tried again.

    Thin events have a secret of their own, and an address of their own if one is given.
    """

    url: str | None = None
    secret: str = ""
    style: str = "snapshot"
    thin_url: str | None = None
    thin_secret: str = ""
    enabled: bool = True
    signature_age: int = 0
    timeout: float = 20.0

    @property
    def takes_snapshots(self) -> bool:
        return self.url is not None and self.style != "thin"

    @property
    def takes_thin(self) -> bool:
        return self.style != "snapshot" and (self.thin_url or self.url) is not None


@dataclass
class Account:
    base_url: str
    merchant: str = "Outlast"
    secret_key: str | None = None
    endpoint: Endpoint = field(default_factory=Endpoint)
