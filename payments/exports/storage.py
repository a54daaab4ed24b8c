"""Where the files are: `STORAGES["reports"]`, a folder of OUTLAST_HOME or an S3 bucket (REPORT_STORAGE).

A file is written once, under a random name that nobody guesses, and never changed; who may fetch it is asked elsewhere,
never by the store. Everything that is kept is private to this system: no store's own address of it is ever given out.
"""

from datetime import datetime
from typing import IO

from django.core.files.storage import Storage

from config import stores
from config.errors import Code, Gone

REPORTS = stores.Store("reports")


def store() -> Storage:
    """The store of reports."""
    return REPORTS.storage


def new_key(ending: str, now: datetime) -> str:
    """A name for a file that is about to be kept: `2026/09/3f…c1.csv`."""
    return stores.new_key(ending, now)


def keep(key: str, file: IO[bytes]) -> None:
    """Put the file, from its beginning, into the store under this very name. Refuses a name that is taken."""
    REPORTS.keep(key, file)


def opened(key: str) -> IO[bytes]:
    """The file, open at its beginning. Refuses (`LINK_EXPIRED`) one that is not there any more."""
    try:
        return REPORTS.opened(key)
    except FileNotFoundError:
        raise Gone(Code.LINK_EXPIRED, "The file is not kept any more. Ask for the report again.") from None


def forget(key: str) -> None:
    """Delete the file; none there, or no name, is as good."""
    if key:
        REPORTS.forget(key)
