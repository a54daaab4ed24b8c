"""Files of this system's own: a folder of OUTLAST_HOME or an S3 bucket, by the setting behind each store.

A file is written once, under a random name that nobody guesses, and never changed; who may fetch it is asked elsewhere,
never by the store. What is kept is private to this system: no store's own address of it is ever given out.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import IO
from uuid import uuid4

from django.core.files import File
from django.core.files.storage import Storage, storages


def new_key(ending: str, now: datetime) -> str:
    """A name for a file that is about to be kept: `2026/09/3f…c1.csv`."""
    return f"{now:%Y/%m}/{uuid4().hex}.{ending}"


@dataclass(frozen=True, slots=True)
class Store:
    """One of `STORAGES`, by its alias."""

    alias: str

    @property
    def storage(self) -> Storage:
        """As Django has it."""
        return storages[self.alias]

    def keep(self, key: str, file: IO[bytes]) -> None:
        """Put the file, from its beginning, into the store under this very name. Refuses a name that is taken."""
        if self.storage.exists(key):
            raise FileExistsError(key)
        file.seek(0)
        kept = self.storage.save(key, File(file, name=key))
        if kept != key:
            self.storage.delete(kept)
            raise FileExistsError(key)

    def opened(self, key: str) -> IO[bytes]:
        """The file, open at its beginning. Raises FileNotFoundError."""
        found: IO[bytes] = self.storage.open(key, "rb")
        return found

    def forget(self, key: str) -> None:
        """Delete the file; none there is as good."""
        self.storage.delete(key)
