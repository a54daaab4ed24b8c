"""The audit as a file: what is linked, in the order of the chain, for anybody to recompute; for admins alone."""

import csv
import io
from hashlib import sha256

import pytest

from config import audit
from config.audit.sealing import seal
from config.errors import Forbidden
from payments.exports.rights import may_export
from payments.models import FileFormat
from tests.support.exporting import content, store_in, wish, written

COLUMNS = (
    "entry", "at", "actor_kind", "actor", "api_key", "action", "subject_type", "subject", "person", "address",
    "request_id", "reason", "data",
)  # fmt: skip
# Empty in the file, and never NULL in the table.
TEXTS = ("actor_kind", "api_key", "action", "subject_type", "subject", "request_id", "reason", "data")


@pytest.fixture(autouse=True)
def store(settings, tmp_path):
    return store_in(settings, tmp_path)


def part(row, name):
    text = row[name]
    return "-" if not text and name not in TEXTS else f"{len(text.encode())}:{text}"


@pytest.mark.django_db(transaction=True)
def test_whoever_has_the_file_can_recompute_the_chain(admin_user, moderator):
    for number in range(3):
        audit.record(action="thing.done", subject_type="pool", subject_id=number, by=moderator, reason="=1+1, ünïcode")
    seal()

    file = content(written(admin_user, "audit", FileFormat.CSV_RAW))
    rows = list(csv.DictReader(io.StringIO(file.decode())))

    assert len(rows) >= 3
    for row in rows:
        place = (f"{len(row[name])}:{row[name]}" for name in ("previous_hash", "day", "number"))
        line = ",".join(["15:outlast-audit-1", *place, *(part(row, name) for name in COLUMNS)])
        assert sha256(line.encode()).hexdigest() == row["hash"]
    assert [row["previous_hash"] for row in rows[1:]] == [row["hash"] for row in rows[:-1]]


def test_finance_may_not_ask_for_it_nor_get_it_by_a_schedule(finance, admin_user):
    with pytest.raises(Forbidden):
        wish(finance, "audit")

    assert not may_export(finance, kind="audit", is_personal=True)
    assert may_export(admin_user, kind="audit", is_personal=True)
    assert may_export(finance, kind="audit_log", is_personal=True)
