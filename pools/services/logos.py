"""The picture of a pool: made anew from whatever was handed in, and shown to everybody who sees the pool."""

from dataclasses import dataclass
from datetime import datetime
from typing import IO

from django.db import transaction

from accounts.models import User
from config import audit
from config.errors import Code, NotFound
from config.uploads.inspection import MEGABYTE, take
from config.uploads.keeping import let_go, opened, put_away, uses
from config.versions import Seen
from pools.models import Pool
from pools.services.unchanged import refuse_changed

FOLDER = "logos"
LARGEST = 2 * MEGABYTE
LONGEST_SIDE = 512
CONTENT_TYPES = {"jpg": "image/jpeg", "png": "image/png"}


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture on its way out; whoever sends it closes it."""

    file: IO[bytes]
    content_type: str


def set_logo(*, pool: Pool, by: User, content: bytes, now: datetime, seen: Seen = None) -> Pool:
    """Show this picture, at most 512 pixels on a side, instead of the one before.

    Refuses with FILE_REFUSED whatever is no JPEG, PNG or WebP picture of at most 2 MB, and with VERSION_CONFLICT where
    the pool is not as it was `seen`. Commits in between, so it cannot be part of a transaction.
    """
    taken = take(content, largest=LARGEST, papers_too=False, longest_side=LONGEST_SIDE)
    return _replace(pool, by, put_away(FOLDER, taken.content, ending=taken.ending, now=now), seen)


def remove_logo(*, pool: Pool, by: User, seen: Seen = None) -> Pool:
    """Show none; none there is as good. Refuses (VERSION_CONFLICT) a pool that is not as it was `seen`."""
    return _replace(pool, by, "", seen)


@transaction.atomic
def _replace(pool: Pool, by: User, key: str, seen: Seen) -> Pool:
    pool = Pool.objects.locked().get(pk=pool.pk)
    refuse_changed(pool, seen)
    if pool.logo_key == key:
        return pool
    if pool.logo_key:
        let_go(pool.logo_key)
    pool.logo_key = key
    pool.save(update_fields=["logo_key"])
    audit.record(action="pool.logo_set" if key else "pool.logo_removed", subject=pool, by=by)
    return pool


def logo_of(pool: Pool) -> Logo:
    """The picture. Refuses (NOT_FOUND) a pool that has none."""
    try:
        if not pool.logo_key:
            raise FileNotFoundError
        return Logo(opened(pool.logo_key), CONTENT_TYPES[pool.logo_key.rpartition(".")[2]])
    except FileNotFoundError:
        raise NotFound(Code.NOT_FOUND, "The pool has no picture.") from None


@uses(FOLDER)
def is_a_logo(key: str) -> bool:
    """Whether the file is one of these."""
    return Pool.objects.filter(logo_key=key).exists()
