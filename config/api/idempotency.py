"""The same POST sent twice has one effect and one answer.

A signed-in caller names a POST with `Idempotency-Key`. The key belongs to (user, method, path), never to the token.
The first answer is kept with the effect, in the same transaction, and given again byte for byte for a day (thirty
where money moves). The same key with another body is refused, and so is one whose first call still runs.

Two ways to run a view:

* ordinary: the view's work, the key and the answer are one transaction. A crash takes all of them, so a retry really
  retries. A refusal by the domain rolls back the work alone and is kept.
* two-phase, for a view whose service must commit before it calls a provider: the key is claimed first under a lease,
  the view runs without a transaction of ours, the answer is kept after. After a crash the retry waits for the lease
  to end and runs the service again, which has to find its own committed intent.

Not kept: 400, 401, 403, 405, 406, 413, 415, 429 and everything from 500 up.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import connection, transaction
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.datastructures import MultiValueDict
from django.utils.translation import get_language
from rest_framework.request import Request

from config import figures
from config.clock import database_now
from config.errors import Code, Conflict, Malformed, Refused, invalid
from config.housekeeping import forgets
from config.locks import lock_key
from config.models import IdempotencyKey
from config.phrases import phrase

HEADER = "Idempotency-Key"
PRINTABLE = re.compile(r"[\x20-\x7e]{1,255}")
KEPT = timedelta(hours=24)
KEPT_FOR_MONEY = timedelta(days=30)
# Longer than any provider call may take, with its retry.
LEASE = timedelta(seconds=45)
KEPT_HEADERS = ("Content-Type", "ETag", "Location")
UNIQUE_FIELDS = ("user", "method", "route", "key")
KEPT_REFUSALS = frozenset({404, 409, 422})

# A new key, one whose time is over, or one whose call for the same body died and let its lease run out.
CLAIM = """
    INSERT INTO config_idempotencykey AS k (
        user_id, method, route, key, fingerprint, status_code, headers, body, created_at, leased_until, expires_at)
    VALUES (%(user_id)s, %(method)s, %(route)s, %(key)s, %(fingerprint)s, NULL, '{}', '', clock_timestamp(),
            clock_timestamp() + make_interval(secs => %(lease)s),
            clock_timestamp() + make_interval(secs => %(lifetime)s))
    ON CONFLICT (user_id, method, route, key) DO UPDATE
    SET fingerprint = excluded.fingerprint, status_code = NULL, headers = '{}', body = '',
        created_at = excluded.created_at, leased_until = excluded.leased_until, expires_at = excluded.expires_at
    WHERE k.expires_at <= clock_timestamp()
       OR k.status_code IS NULL AND k.leased_until <= clock_timestamp() AND k.fingerprint = excluded.fingerprint
    RETURNING created_at
"""


class Mode(StrEnum):
    """How a POST is made idempotent."""

    ORDINARY = "ordinary"
    TWO_PHASE = "two_phase"
    OFF = "off"


Run = Callable[[], HttpResponseBase]
Refuse = Callable[[Exception], HttpResponseBase]


class InProgress(Conflict):
    """The first call with this key has not answered yet."""

    def __init__(self) -> None:
        super().__init__(
            Code.IDEMPOTENCY_IN_PROGRESS, "A call with this Idempotency-Key is still running.", {"retry_after": 1}
        )


class KeyReused(Refused):
    """The key was used for another body."""

    def __init__(self) -> None:
        super().__init__(Code.IDEMPOTENCY_KEY_REUSED, "This Idempotency-Key was used with another body before.")


def key_of(request: Request, *, required: bool) -> str | None:
    """The key of the call. Raises IDEMPOTENCY_KEY_REQUIRED, or VALIDATION_ERROR for one that is not printable."""
    key = request.headers.get(HEADER)
    if key is None:
        if required:
            raise Malformed(
                Code.IDEMPOTENCY_KEY_REQUIRED,
                phrase("Send an {header} header, a new one for each attempt.", header=HEADER),
            )
        return None
    # The Internet draft writes the key as a quoted string; both forms name the same key.
    if len(key) > 2 and key[0] == key[-1] == '"':
        key = key[1:-1]
    if not PRINTABLE.fullmatch(key):
        raise invalid(HEADER, "Must be 1 to 255 printable characters.")
    return key


def fingerprint(request: Request) -> str:
    """Keyed hash of what the caller asked for: the query and the body, whatever the order of its names.

    Keyed, because a body can hold a password, and a plain hash of one could be guessed from a stolen table.
    """
    query = sorted((name, value) for name, values in request.query_params.lists() for value in values)
    asked = [query, _body_of(request)]
    said = json.dumps(asked, sort_keys=True, separators=(",", ":"), ensure_ascii=True, default=_told)
    return hmac.new(settings.SECRET_KEY.encode(), said.encode(), hashlib.sha256).hexdigest()


def _body_of(request: Request) -> Any:
    """Of a form, all the values of each name."""
    data: Any = request.data
    return sorted(data.lists()) if isinstance(data, MultiValueDict) else data


def _told(value: object) -> str:
    """A file is told by its bytes; it can be read again afterwards."""
    if not isinstance(value, UploadedFile):
        raise TypeError(f"{type(value).__name__} is not told apart")
    digest = hashlib.sha256()
    for chunk in value.chunks():
        digest.update(chunk)
    value.seek(0)
    return digest.hexdigest()


def run(request: Request, key: str, mode: Mode, *, moves_money: bool, work: Run, refuse: Refuse) -> HttpResponseBase:
    """Do the work once, or give the first answer again.

    `work` calls the view and returns its rendered answer, or raises; `refuse` makes the answer of an exception.
    Raises `InProgress`, `KeyReused`, and whatever the end of the transaction raises.
    """
    call = Call(request, key, moves_money=moves_money)
    if mode is Mode.TWO_PHASE:
        return _run_in_two_phases(call, work, refuse)
    return _run_in_one_transaction(call, work, refuse)


class Call:
    """One keyed call: whose, where, which key, which body."""

    def __init__(self, request: Request, key: str, *, moves_money: bool) -> None:
        self.scope: dict[str, Any] = {
            "user_id": request.user.pk,
            "method": request.method,
            "route": request.path[:500],
            "key": key,
        }
        self.fingerprint = fingerprint(request)
        self.lifetime = KEPT_FOR_MONEY if moves_money else KEPT

    def find(self, now: datetime) -> IdempotencyKey | None:
        """The kept answer or claim, unless its time is over. Refuses another body."""
        row = IdempotencyKey.objects.filter(**self.scope, expires_at__gt=now).first()
        if row is not None and row.fingerprint != self.fingerprint:
            figures.IDEMPOTENCY.labels("mismatch").inc()
            raise KeyReused
        return row

    def keep(self, answer: HttpResponseBase, now: datetime) -> None:
        """Write the answer over whatever is left of an older call."""
        row = IdempotencyKey(**self.scope, **self._kept(answer, now))
        IdempotencyKey.objects.bulk_create(
            [row], update_conflicts=True, unique_fields=UNIQUE_FIELDS, update_fields=list(self._kept(answer, now))
        )

    def answer(self, answer: HttpResponseBase, now: datetime) -> None:
        """Write the answer into the claim; one statement, unless somebody has given the claim up meanwhile."""
        if not IdempotencyKey.objects.filter(**self.scope).update(**self._kept(answer, now)):
            self.keep(answer, now)

    def claim(self) -> datetime | None:
        """Own the key for the length of a lease; since when, or None where a call before has it. One statement."""
        with connection.cursor() as cursor:
            lease, lifetime = LEASE.total_seconds(), self.lifetime.total_seconds()
            cursor.execute(CLAIM, {**self.scope, "fingerprint": self.fingerprint, "lease": lease, "lifetime": lifetime})
            row = cursor.fetchone()
        return None if row is None else row[0]

    def _kept(self, answer: HttpResponseBase, now: datetime) -> dict[str, Any]:
        headers = {name: answer[name] for name in KEPT_HEADERS if answer.has_header(name)}
        if answer.status_code >= 400:
            # Whoever asks again in another language hears the same sentence, and which language it is in.
            headers["Content-Language"] = get_language() or settings.LANGUAGE_CODE
        return {
            "fingerprint": self.fingerprint,
            "status_code": answer.status_code,
            "headers": headers,
            "body": answer.content if isinstance(answer, HttpResponse) else b"",
            "created_at": now,
            "leased_until": None,
            "expires_at": now + self.lifetime,
        }

    def try_lock(self) -> None:
        """Own the key until the end of the transaction. Raises `InProgress` when somebody else does."""
        with connection.cursor() as cursor:
            name = lock_key(f"idempotency {sorted(self.scope.items())}")
            cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [name])
            if not cursor.fetchone()[0]:
                figures.IDEMPOTENCY.labels("conflict").inc()
                raise InProgress


def _run_in_one_transaction(call: Call, work: Run, refuse: Refuse) -> HttpResponseBase:
    with transaction.atomic():
        call.try_lock()
        now = database_now()
        row = call.find(now)
        if row is not None:
            return _replay(row)
        try:
            with transaction.atomic():
                answer = work()
        except Exception as error:  # noqa: BLE001  # every failure becomes an answer, which is kept or not below
            answer = refuse(error)
        if is_kept(answer):
            call.keep(answer, now)
        elif answer.status_code >= 400:
            transaction.set_rollback(True)
        return answer


def _run_in_two_phases(call: Call, work: Run, refuse: Refuse) -> HttpResponseBase:
    claimed_at = call.claim()
    if claimed_at is None:
        row = call.find(database_now())
        if row is None or row.status_code is None:
            figures.IDEMPOTENCY.labels("conflict").inc()
            raise InProgress
        return _replay(row)
    try:
        answer = work()
    except Exception as error:  # noqa: BLE001  # as above
        answer = refuse(error)
    if is_kept(answer):
        call.answer(answer, claimed_at)
    else:
        IdempotencyKey.objects.filter(**call.scope, status_code=None).delete()
    return answer


def is_kept(answer: HttpResponseBase) -> bool:
    """Whether a retry is to see this answer again."""
    return (200 <= answer.status_code < 300 and not answer.streaming) or answer.status_code in KEPT_REFUSALS


def _replay(row: IdempotencyKey) -> HttpResponse:
    """The first answer, byte for byte."""
    figures.IDEMPOTENCY.labels("replay").inc()
    headers = {**row.headers, "Idempotent-Replayed": "true"}
    return HttpResponse(bytes(row.body), status=row.status_code, headers=headers)


@forgets("idempotency keys", "a day, where money moves 30 days", task="config.tasks.forget_old_keys")
def forget_expired(*, limit: int = 10_000) -> int:
    """Delete keys whose time is over, at most `limit` of them; how many."""
    ids = IdempotencyKey.objects.filter(expires_at__lt=database_now()).order_by("expires_at").values("id")[:limit]
    deleted, _ = IdempotencyKey.objects.filter(id__in=list(ids.values_list("id", flat=True))).delete()
    return deleted
