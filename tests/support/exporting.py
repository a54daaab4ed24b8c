"""Exports in tests: asked for, written, read."""

from config.clock import database_now
from payments.exports import storage, work
from payments.exports.asking import request_export
from payments.models import FileFormat
from payments.reports import Narrowing


def store_in(settings, folder):
    """Keep files in this folder."""
    kept = {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": folder}}
    settings.STORAGES = {**settings.STORAGES, "reports": kept}
    return folder


def wish(by, kind="numbers", file_format=FileFormat.CSV, *, like=None, **narrowing):
    """An export that is asked for, and not written yet."""
    return request_export(
        kind=kind, narrowing=Narrowing(**narrowing), file_format=file_format, by=by, now=database_now(), like=like
    )


def written(by, kind="numbers", file_format=FileFormat.CSV, **asked):
    """An export that is asked for and written."""
    export = wish(by, kind, file_format, **asked)
    assert work.write_next()
    export.refresh_from_db()
    return export


def content(export):
    """What its file has."""
    with storage.opened(export.file_key) as file:
        return file.read()


def files_in(folder):
    """All files below the folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())
