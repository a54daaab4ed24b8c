"""Why a file is not taken."""

from enum import StrEnum

from config.errors import Code, Refused


class Reason(StrEnum):
    """In `details.reason`."""

    EMPTY = "empty"
    TOO_MANY = "too_many"
    TOO_LARGE = "too_large"
    TYPE_NOT_TAKEN = "type_not_taken"
    UNREADABLE = "unreadable"
    TOO_MANY_PIXELS = "too_many_pixels"
    ENCRYPTED = "encrypted"
    ACTIVE_CONTENT = "active_content"
    HIDDEN_CONTENT = "hidden_content"
    TOO_COMPLEX = "too_complex"


SENTENCES = {
    Reason.EMPTY: "The file is empty.",
    Reason.TOO_MANY: "There are too many of your files already. Delete some first, or wait until they were looked at.",
    Reason.TOO_LARGE: "The file is too large.",
    Reason.TYPE_NOT_TAKEN: "Files of this type are not taken, or the file is not what its name says.",
    Reason.UNREADABLE: "The file is damaged, or not what it seems to be.",
    Reason.TOO_MANY_PIXELS: "The picture is too large. Scale it down, or take it with less detail.",
    Reason.ENCRYPTED: "The file is protected by a password. Save it without one.",
    Reason.ACTIVE_CONTENT: "The file has scripts or actions in it. Print it to a PDF and hand that in.",
    Reason.HIDDEN_CONTENT: "The file has other files in it. Print it to a PDF and hand that in.",
    Reason.TOO_COMPLEX: "The file has too many parts. Print it to a PDF and hand that in.",
}


class FileRefused(Refused):
    """422: a file that is not taken, with the reason as a code."""

    def __init__(self, reason: Reason, **details: int) -> None:
        super().__init__(Code.FILE_REFUSED, SENTENCES[reason], {"reason": str(reason), **details})
