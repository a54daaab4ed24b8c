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
    is_action = method == "POST" and len(parts) > 1 and not _is_plural([p for p in parts if not p.startswith("{")][-1])
    if any(not part.startswith("{") for part in parts[1:]):
        parts = [part for part in (INSTEAD.get(part, part) for part in parts) if part]
    # Which of them a call is about stands behind a name of several.
    *before, last = [
        one_of(part) if following.startswith("{") else part
        for part, following in zip(parts, [*parts[1:], ""], strict=True)
        if not part.startswith("{")
    ]
    if is_action:
        return _camel([last, *before])
    last = one_of(last) if method == "POST" else last
    verb = "create" if method == "POST" else "list" if is_list else VERBS[method]
    return _camel([verb, *before, last])


def _is_plural(word: str) -> bool:
    return one_of(word) != word


def one_of(word: str) -> str:
    """`pools` → `pool`, `entries` → `entry`, `batches` → `batch`."""
    return next((ending.sub(instead, word) for ending, instead in SINGLE if ending.search(word)), word)


def _camel(words: list[str]) -> str:
    first, *rest = [part for word in words for part in re.split(r"\W+", word)]
    return first.lower() + "".join(part[:1].upper() + part[1:] for part in rest)
