"""Questions that are known by their hash, so that a client need not send them each time.

Two kinds. The listed ones are committed (`docs/graphql/*.graphql`), and where `GRAPHQL_QUERIES` is `listed` nothing
else is answered. The others a client sends once, with their hash, and then by the hash alone, for a day at most.

What is kept is bounded: a hash has one of so many places, and whoever comes later takes it over. That costs the earlier
client one more request, nothing else. A text is only ever answered by its own hash, which is computed again when it is
read, so nobody can put a question into another's mouth. Without Redis nothing is kept.
"""

import hashlib
from functools import cache

from django.conf import settings
from django.core.cache import caches

from config.env import PROJECT
from config.errors import Code, Forbidden, NotFound, invalid
from config.graphql.questions import Question

LISTED = PROJECT / "docs" / "graphql"
ANY, LISTED_ONLY = "any", "listed"
# Of 20,000 characters at most each: 20 to 80 MB when an attacker has filled all of it.
PLACES = 1024
SECONDS = 24 * 60 * 60


class QueryNotKnown(NotFound):
    """No text is known of this hash. The message is the one that clients look for, in their words."""

    def __init__(self) -> None:
        super().__init__(Code.PERSISTED_QUERY_NOT_FOUND, "PersistedQueryNotFound")


def hash_of(text: str) -> str:
    """By which a text is known."""
    return hashlib.sha256(text.encode()).hexdigest()


@cache
def listed() -> dict[str, str]:
    """The committed questions by their hashes."""
    texts = [file.read_text(encoding="utf-8") for file in sorted(LISTED.glob("*.graphql")) if file.stem != "schema"]
    return {hash_of(text): text for text in texts}


def text_of(question: Question) -> str:
    """What is asked. Refuses a hash that is not known or not the text's, and where only listed ones are answered,
    anything else.
    """
    if question.text is None:
        found = listed().get(question.sha256 or "") or _kept(question.sha256 or "")
        if found is None:
            raise QueryNotKnown
        return _allowed(found)
    if question.sha256 is not None and hash_of(question.text) != question.sha256:
        raise invalid("extensions", "The hash is not the query's.")
    return _allowed(question.text)


def keep(question: Question) -> None:
    """Keep a text that came with its hash. Called once it is known to be a good one."""
    if question.text is None or question.sha256 is None or question.sha256 in listed():
        return
    caches["default"].set(_place(question.sha256), question.text, SECONDS)


def _allowed(text: str) -> str:
    if settings.GRAPHQL_QUERIES == LISTED_ONLY and hash_of(text) not in listed():
        raise Forbidden(Code.FORBIDDEN, "Only listed questions are answered here.")
    return text


def _kept(sha256: str) -> str | None:
    found = caches["default"].get(_place(sha256))
    return found if isinstance(found, str) and hash_of(found) == sha256 else None


def _place(sha256: str) -> str:
    return f"graphql:{int(sha256[:8], 16) % PLACES}"
