"""What client generators call an operation: `listPools`, `getPool`, `approveRequest`, `createPaymentRefund`.

Made from method and address, so that a name stays for as long as those do. Where they say it badly the operation has
a `name` of its own. A test holds all of them unique.
"""

import re

PREFIX = "/api/v1/"
VERBS = {"GET": "get", "PUT": "update", "PATCH": "update", "DELETE": "delete"}
# Who signs in and whose account it is goes without saying: `confirmEmail`, `listMyDocuments`.
INSTEAD = {"auth": "", "me": "my"}
SINGLE = ((re.compile(r"ies$"), "y"), (re.compile(r"(ch|sh|x)es$"), r"\1"), (re.compile(r"(?<!s)s$"), ""))


def name_of(method: str, path: str, *, is_list: bool) -> str:
    """The name for `POST /api/v1/requests/{id}/approve`: approveRequest."""
    parts = [part for part in re.split(r"[/.]", path.removeprefix(PREFIX)) if part]
    words = [part for part in parts if not part.startswith("{")]
    if len(words) > 1:
        words = [word for word in (INSTEAD.get(word, word) for word in words) if word]
    last = words[-1] if method != "POST" and not parts[-1].startswith("{") else _one(words[-1])
    before = [_one(word) for word in words[:-1]]
    if method == "POST" and last == words[-1]:
        return _camel([last, *before])
    verb = "create" if method == "POST" else "list" if is_list else VERBS[method]
    return _camel([verb, *before, last])


def _one(word: str) -> str:
    """`pools` → `pool`, `entries` → `entry`, `batches` → `batch`."""
    return next((ending.sub(instead, word) for ending, instead in SINGLE if ending.search(word)), word)


def _camel(words: list[str]) -> str:
    first, *rest = [part for word in words for part in re.split(r"\W+", word)]
    return first.lower() + "".join(part[:1].upper() + part[1:] for part in rest)
