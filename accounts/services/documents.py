"""Papers that people hand in: looked into, kept, looked through for viruses, decided about, and forgotten in time.

A file is refused, made anew and kept as `config.uploads` has it. Nobody opens it before the scanner has looked at it,
where there is one, and every look of somebody else than its owner is written down.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q

from accounts.models import Document, DocumentKind, DocumentStatus, User
from accounts.services import closing
from accounts.services.own_data import Row, section
from config import audit, outbox
from config.clock import database_now
from config.downloads import Fetched
from config.errors import Code, Conflict, Forbidden, Gone, NotFound, invalid
from config.housekeeping import forgets
from config.phrases import phrase
from config.uploads import scanning
from config.uploads.inspection import MEGABYTE, take
from config.uploads.keeping import let_go, opened, put_away, uses
from config.uploads.names import clean_name
from config.uploads.refusals import FileRefused, Reason

FOLDER = "documents"
LARGEST = 5 * MEGABYTE
MOST_UNDECIDED = 10
LONGEST_REASON = 500
LINK_LIFETIME = timedelta(minutes=10)
SALT = "document-link"
REVIEWS = "accounts.review_document"
SCAN, DECIDED_MAIL = "documents.scan", "mail.document_decided"


@dataclass(frozen=True, slots=True)
class Link:
    """A path of the API that needs no sign-in, for a while."""

    path: str
    expires_at: datetime


def upload(*, owner: User, kind: DocumentKind, name: str, content: bytes, now: datetime) -> Document:
    """Keep a paper of the person's: a picture made anew, or a PDF that does nothing.

    Refuses with FILE_REFUSED what `config.uploads` refuses, and more than `MOST_UNDECIDED` that wait; with
    EMAIL_NOT_VERIFIED an address that is not proved. Commits in between, so it cannot be part of a transaction.
    """
    if not owner.email_verified:
        raise Forbidden(Code.EMAIL_NOT_VERIFIED, "Confirm your e-mail address first.")
    # Before the work of a second: an answer that is clear already.
    _refuse_too_many(owner)
    taken = take(content, largest=LARGEST, papers_too=True)
    key = put_away(FOLDER, taken.content, ending=taken.ending, now=now)
    with transaction.atomic(durable=True):
        owner = User.objects.locked().get(pk=owner.pk)
        if not owner.is_active:
            raise Conflict(Code.INVALID_TRANSITION, "The account is not open.")
        _refuse_too_many(owner)
        audit.attribute(by=owner)
        document = Document.objects.create(
            owner=owner,
            kind=kind,
            name=clean_name(name, ending=taken.ending, otherwise=str(kind)),
            key=key,
            content_type=taken.content_type,
            size=len(taken.content),
            sha256=hashlib.sha256(taken.content).hexdigest(),
        )
        if scanning.is_on():
            outbox.post(kind=SCAN, key=f"document-scan-{document.pk}", payload={"document": document.pk})
    document.refresh_from_db()
    return document


def _refuse_too_many(owner: User) -> None:
    if Document.objects.of(owner.pk).filling().count() >= MOST_UNDECIDED:
        raise FileRefused(Reason.TOO_MANY, most=MOST_UNDECIDED)


@outbox.handler(SCAN)
def scan(payload: dict[str, Any]) -> None:
    """Ask the scanner about one file, once. Raises where it gives no verdict, and is tried again."""
    document = Document.objects.filter(pk=payload["document"], status=DocumentStatus.UPLOADED).first()
    if document is None:
        return
    with opened(document.key) as file:
        finding = scanning.found_in(file)
    with transaction.atomic():
        found = Document.objects.locked().filter(pk=document.pk, status=DocumentStatus.UPLOADED).first()
        if found is None:
            return
        audit.attribute()
        found.move_to(DocumentStatus.INFECTED if finding else DocumentStatus.CLEAN)
        found.finding, found.scanned_at = finding, database_now()
        found.save(update_fields=["status", "finding", "scanned_at"])


@transaction.atomic
def accept_document(*, document: Document, by: User, now: datetime) -> Document:
    """Say that a paper shows what it is to show. Refuses one's own, one decided about, and one not looked through."""
    return _decide(document, DocumentStatus.ACCEPTED, by, now, "")


@transaction.atomic
def reject_document(*, document: Document, by: User, now: datetime, reason: str) -> Document:
    """Say that it does not, and why: its owner is told. Refuses the same."""
    reason = reason.strip()
    if not 0 < len(reason) <= LONGEST_REASON:
        raise invalid("reason", phrase("Say why, in at most {most} characters.", most=LONGEST_REASON))
    return _decide(document, DocumentStatus.REJECTED, by, now, reason)


def _decide(document: Document, status: DocumentStatus, by: User, now: datetime, reason: str) -> Document:
    document = Document.objects.locked().get(pk=document.pk)
    if document.owner_id == by.pk:
        raise Forbidden(Code.FORBIDDEN, "Somebody else has to look at your own papers.")
    _refuse_unscanned(document)
    document.move_to(status)
    audit.attribute(by=by, reason=reason)
    document.decided_by, document.decided_at, document.reason = by, now, reason
    document.save(update_fields=["status", "decided_by", "decided_at", "reason"])
    outbox.post(kind=DECIDED_MAIL, key=f"document-decided-{document.pk}", payload={"document": document.pk})
    return document


def _refuse_unscanned(document: Document) -> None:
    if document.status == DocumentStatus.UPLOADED and scanning.is_on():
        raise Conflict(Code.INVALID_TRANSITION, "The virus scanner has not looked at it yet.")


def fetch(*, document: Document, by: User) -> Fetched:
    """The file, for its owner or for who may review; each look of somebody else is written down before it is shown.

    Refuses what the scanner has not seen or has found, and (410) what is not kept any more.
    """
    is_own = document.owner_id == by.pk
    if not by.is_active or not (is_own or by.has_perm(REVIEWS)):
        raise NotFound(Code.NOT_FOUND, "There is no such document.")
    if document.status == DocumentStatus.INFECTED:
        raise Conflict(Code.INVALID_TRANSITION, "The virus scanner has found something in it. It is not handed out.")
    _refuse_unscanned(document)
    if not is_own:
        with transaction.atomic():
            audit.record(
                action="document.seen", subject=document, person=document.owner_id, by=by,
                data={"kind": str(document.kind)},
            )  # fmt: skip
    try:
        file = opened(document.key)
    except FileNotFoundError:
        raise Gone(Code.LINK_EXPIRED, "The file is not kept any more.") from None
    return Fetched(file, document.name, document.content_type, document.size, document.sha256)


def make_link(*, document: Document, by: User, now: datetime) -> Link:
    """A link to the file, for ten minutes. Whoever opens it is taken for the person it was made for."""
    token = signing.dumps([document.pk, by.pk], salt=SALT)
    return Link(f"/api/v1/documents/{document.pk}/file?token={token}", now + LINK_LIFETIME)


def fetch_by_link(*, document_id: int, token: str) -> Fetched:
    """The file a link is for. Refuses (410) a link that is over, (404) one that we did not make for it.

    Whoever it was made for must still be allowed to.
    """
    try:
        of, user_id = signing.loads(token, salt=SALT, max_age=LINK_LIFETIME)
    except signing.SignatureExpired:
        raise Gone(Code.LINK_EXPIRED, "This link is over. Make another.") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound(Code.NOT_FOUND, "There is no such link.") from None
    by = User.objects.filter(pk=user_id, is_active=True).first()
    document = Document.objects.filter(pk=document_id).first()
    if of != document_id or by is None or document is None:
        raise NotFound(Code.NOT_FOUND, "There is no such link.")
    return fetch(document=document, by=by)


@transaction.atomic
def delete_document(*, document: Document, by: User) -> None:
    """Take a paper back, with its file. Refuses one that was accepted: it is what a decision stands on."""
    document = Document.objects.locked().get(pk=document.pk)
    if document.status == DocumentStatus.ACCEPTED:
        raise Conflict(Code.INVALID_TRANSITION, "A document that was accepted is kept for as long as it has to be.")
    _delete(document, by=by, why="taken_back")


@closing.forgets
def forget_documents(user: User) -> None:
    """All of them, whatever was decided: the account is closed."""
    for document in Document.objects.locked().filter(owner=user).order_by("pk"):
        _delete(document, by=None, why="account_closed")


@forgets(
    "documents",
    "DOCUMENT_DAYS after they were accepted, else UNUSED_DOCUMENT_DAYS",
    task="accounts.tasks.forget_old_documents",
)
def forget_old(*, now: datetime, limit: int = 500) -> int:
    """Delete documents whose time is over, the oldest first; how many."""
    accepted = now - timedelta(days=settings.DOCUMENT_DAYS)
    unused = now - timedelta(days=settings.UNUSED_DOCUMENT_DAYS)
    over = Q(status=DocumentStatus.ACCEPTED, decided_at__lt=accepted) | ~Q(status=DocumentStatus.ACCEPTED) & Q(
        uploaded_at__lt=unused
    )
    ids = list(Document.objects.filter(over).order_by("uploaded_at", "id").values_list("pk", flat=True)[:limit])
    count = 0
    for document_id in ids:
        with transaction.atomic():
            for document in Document.objects.locked(skip_busy=True).filter(over, pk=document_id):
                _delete(document, by=None, why="time_is_over")
                count += 1
    return count


def _delete(document: Document, *, by: User | None, why: str) -> None:
    audit.record(
        action="document.deleted", subject=document, person=document.owner_id, by=by,
        data={"kind": str(document.kind), "status": str(document.status), "why": why},
    )  # fmt: skip
    let_go(document.key)
    Document.objects.filter(pk=document.pk).delete()


@uses(FOLDER)
def is_of_a_document(key: str) -> bool:
    """Whether the file is one of these."""
    return Document.objects.filter(key=key).exists()


@section("documents")
def own_documents(user: User) -> Iterator[Row]:
    """What they handed in, as long as it is kept; the files themselves are fetched one by one."""
    for document in Document.objects.of(user.pk).order_by("pk").iterator(chunk_size=500):
        yield {
            "id": document.pk,
            "kind": document.kind,
            "status": document.status,
            "name": document.name,
            "content_type": document.content_type,
            "size": document.size,
            "sha256": document.sha256,
            "uploaded_at": document.uploaded_at,
            "decided_at": document.decided_at,
            "reason": document.reason,
        }
