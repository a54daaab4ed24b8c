"""What a confirm page of the back office tells, and asks."""

from collections.abc import Iterable
from enum import StrEnum


class Shown(list[str]):
    """The sentences of a confirm page; `hidden` comes back with the confirmation, by its names, unseen."""

    hidden: dict[str, str]

    def __init__(self, sentences: Iterable[str], **hidden: str) -> None:
        super().__init__(sentences)
        self.hidden = hidden


class Reason(StrEnum):
    """Whether the confirm page asks why."""

    NONE = "none"
    OPTIONAL = "optional"
    REQUIRED = "required"
