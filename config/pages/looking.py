"""Looking at a page: its version first, then the page of that version."""

from functools import lru_cache, partial
from typing import TYPE_CHECKING

from django.conf import settings

from config.pages.keeping import LOOKED, Keeper, Kept, kept
from config.pages.registry import Asked, house
from config.pages.versions import Version
from config.prepared import is_ready

if TYPE_CHECKING:
    from prometheus_client import Counter

KEEPER = Keeper()
# Of a page that is read for one answer.
UNKNOWN = Version("", 0.0)


def at_hand(asked: Asked, version: Version) -> Kept | None:
    """The page of this version, if this process has it; costs neither a connection nor any work."""
    page = KEEPER.at_hand(asked.name, version)
    if page is not None:
        _at_hand(asked.page.kind).inc()
    return page


@lru_cache(maxsize=64)
def _at_hand(kind: str) -> "Counter":
    """Found once: to look for it takes longer than to count."""
    return LOOKED.labels(kind, "memory")


def look(asked: Asked) -> Kept | None:
    """The page as it is now; None where there is none that everybody may see. Raises what the database raises.

    None inside a transaction, too: it sees what it has written itself, which may never be, and nobody else may see.
    """
    known = house()
    if known is None or not is_ready():
        return None
    if not settings.KEEP_PAGES:
        return _build(asked, UNKNOWN)
    version = known.versions.read(asked.pool)
    if version is None:
        return None
    return KEEPER.find(asked.page.kind, asked.name, version, partial(_build, asked))


def _build(asked: Asked, version: Version) -> Kept | None:
    """From the rows. `until` is asked first: what it does not know of yet lies after it."""
    known = house()
    until = known.until(asked.pool) if known is not None and version is not UNKNOWN else None
    shown = asked.page.read(asked)
    # Of nothing that is certain to hold: right at no instant.
    return None if shown is None else kept(shown, version, 0.0 if until is None else until)
