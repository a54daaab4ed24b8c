"""Fetching files, each time noted: who, when, from where; and links that open once, for a quarter of an hour."""

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.core import signing
from django.db import IntegrityError, transaction

from accounts.models import User
from config.clock import database_now
from config.downloads import Fetched
from config.errors import Code, Conflict, Gone, NotFound
from config.housekeeping import forgets
from payments.exports import storage
from payments.exports.formats import FORMS
from payments.exports.rights import check_exporter, check_may_export
from payments.exports.wishes import file_name_of
from payments.models import DownloadWay, Export, ExportDownload, ExportState, FileFormat

logger = logging.getLogger(__name__)

SALT = "export-link"
LIFETIME = timedelta(minutes=15)
# Files that one sweep deletes.
MOST_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Link:
    """A path of the API that needs no sign-in, for whom it was made, once."""

    path: str
    expires_at: datetime


def fetch(*, export_id: int, by: User, way: DownloadWay, address: str | None, nonce: UUID | None = None) -> Fetched:
    """The file, noted as fetched. Refuses who may not, what is not written (409), what is not kept any more (410)."""
    export = _fetchable(export_id, by)
    form = FORMS[FileFormat(export.format)]
    file = storage.opened(export.file_key)
    try:
        _note(export, by, way, address, nonce)
    except BaseException:
        file.close()
        raise
    logger.info("export %s fetched by user %s through %s", export.pk, by.pk, way)
    return Fetched(file, file_name_of(export, form.ending), form.content_type, export.size or 0, export.sha256)


def _fetchable(export_id: int, by: User) -> Export:
    """The export, if this person may have its file now."""
    check_exporter(by)
    export = Export.objects.filter(pk=export_id).first()
    if export is None:
        raise NotFound(Code.NOT_FOUND, "There is no such export.")
    check_may_export(by, kind=export.report, is_personal=export.is_personal)
    if export.status == ExportState.EXPIRED:
        raise Gone(Code.LINK_EXPIRED, "The file was deleted when its time was over. Ask for the report again.")
    if export.status != ExportState.DONE or not export.is_kept:
        raise Conflict(Code.INVALID_TRANSITION, "There is no file of this export.")
    return export


def make_link(*, export_id: int, by: User) -> Link:
    """A link to the file. Refuses what `fetch` would."""
    export = _fetchable(export_id, by)
    token = signing.dumps([export.pk, by.pk, uuid4().hex], salt=SALT)
    return Link(f"/api/v1/exports/{export.pk}/file?token={token}", database_now() + LIFETIME)


def fetch_by_link(*, export_id: int, token: str, address: str | None) -> Fetched:
    """The file a link is for. Refuses (410) a link that is over or was used, (404) one that we did not make for it.

    Whoever it was made for must still be allowed to: who lost the right lost the links.
    """
    try:
        of, user_id, nonce = signing.loads(token, salt=SALT, max_age=LIFETIME)
    except signing.SignatureExpired:
        raise Gone(Code.LINK_EXPIRED, "This link is over. Make another on the export's page.") from None
    except (signing.BadSignature, ValueError, TypeError):
        raise NotFound(Code.NOT_FOUND, "There is no such link.") from None
    by = User.objects.filter(pk=user_id, is_active=True).first()
    if of != export_id or by is None:
        raise NotFound(Code.NOT_FOUND, "There is no such link.")
    return fetch(export_id=export_id, by=by, way=DownloadWay.LINK, address=address, nonce=UUID(nonce))


def _note(export: Export, by: User, way: DownloadWay, address: str | None, nonce: UUID | None) -> None:
    try:
        with transaction.atomic():
            ExportDownload.objects.create(export=export, by=by, way=way, address=address, nonce=nonce)
    except IntegrityError:
        raise Gone(Code.LINK_EXPIRED, "This link was used already. Make another on the export's page.") from None


@forgets(
    "files of exports",
    "REPORT_DAYS, with personal data PERSONAL_REPORT_DAYS",
    task="payments.tasks.delete_expired_exports",
)
def sweep_expired(*, now: datetime, limit: int = MOST_AT_ONCE) -> int:
    """Delete the files whose time is over; how many. The rows stay, with what the files had been.

    And what an export left in the store that failed for good.
    """
    # First the file: cut off in between, the next sweep finds the row again.
    for failed in Export.objects.filter(status=ExportState.FAILED).exclude(file_key="")[:limit]:
        storage.forget(failed.file_key)
        Export.objects.filter(pk=failed.pk, file_key=failed.file_key).update(file_key="")
    count = 0
    due = Export.objects.filter(status=ExportState.DONE, expires_at__lte=now).order_by("expires_at", "id")
    for export in due[:limit]:
        storage.forget(export.file_key)
        count += Export.objects.filter(pk=export.pk, status=ExportState.DONE).update(status=ExportState.EXPIRED)
    return count
