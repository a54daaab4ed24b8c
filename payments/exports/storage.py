"""Where the files are: `STORAGES["reports"]`, a folder of OUTLAST_HOME or an S3 bucket (REPORT_STORAGE).

A file is written once, under a random name that nobody guesses, and never changed; who may fetch it is asked elsewhere,
never by the store. Everything that is kept is private to this system: no store's own address of it is ever given out.
"""

from datetime import datetime
from typing import IO
from uuid import uuid4

from django.core.files import File
from django.core.files.storage import Storage, storages

from config.errors import Code, Gone


def store() -> Storage:
    """The store of reports."""
    return storages["reports"]


def new_key(ending: str, now: datetime) -> str:
    """A name for a file that is about to be kept: `2026/09/3f…c1.csv`."""
    return f"{now:%Y/%m}/{uuid4().hex}.{ending}"


def keep(key: str, file: IO[bytes]) -> None:
    """Put the file, from its beginning, into the store under this very name. Refuses a name that is taken."""
    if store().exists(key):
        raise FileExistsError(key)
    file.seek(0)
    kept = store().save(key, File(file, name=key))
    if kept != key:
        store().delete(kept)
        raise FileExistsError(key)


def opened(key: str) -> IO[bytes]:
    """The file, open at its beginning. Refuses (`LINK_EXPIRED`) one that is not there any more."""
    try:
        found: IO[bytes] = store().open(key, "rb")
    except FileNotFoundError:
        raise Gone(Code.LINK_EXPIRED, "The file is not kept any more. Ask for the report again.") from None
    return found


def forget(key: str) -> None:
    """Delete the file; none there, or no name, is as good."""
    if key:
        store().delete(key)
