"""What an entry says, and what it must not."""

import pytest
from django.db import connection, transaction

from config import audit
from config.audit.origin import coming_from
from config.logging import current_request_id
from config.models import AuditEntry


@pytest.fixture
def in_request():
    """As if a request were being worked on."""
    token = current_request_id.set("req-1")
    with coming_from("203.0.113.9"):
        yield
    current_request_id.reset(token)


def test_an_entry_says_who_what_to_whom_and_from_where(db, in_request, player, moderator):
    audit.record(
        action="personal_details.looked_at",
        subject=player,
        person=player,
        by=moderator,
        data={"fields": ["tax_number"]},
    )

    entry = AuditEntry.objects.get(action="personal_details.looked_at")
    assert (entry.actor_kind, entry.actor_id, entry.person_id) == ("user", moderator.pk, player.pk)
    assert (entry.subject_type, entry.subject_id) == ("user", str(player.pk))
    assert (entry.address, entry.request_id) == ("203.0.113.9", "req-1")
    assert entry.data == {"fields": ["tax_number"]}


def test_who_is_left_out_is_whoever_the_transaction_named(db, moderator):
    with transaction.atomic():
        audit.attribute(by=moderator)
        audit.record(action="report.looked_at")

    assert AuditEntry.objects.get(action="report.looked_at").actor_id == moderator.pk


def test_nobody_signed_in_is_told_apart_from_the_system(db, moderator):
    audit.attribute(by=moderator)
    audit.record(action="sign_in.failed", anonymous=True)
    audit.record(action="sweep.done", by=None)

    found = dict(AuditEntry.objects.values_list("action", "actor_kind"))
    assert found["sign_in.failed"] == "anonymous"
    assert found["sweep.done"] == "system"
    assert not AuditEntry.objects.filter(action__in=("sign_in.failed", "sweep.done"), actor_id__isnull=False).exists()


def test_a_key_of_the_api_is_named(db, in_request, player):
    audit.came_with_key("ol_ab12cd34")
    audit.record(action="pool.looked_at", by=player)

    entry = AuditEntry.objects.get(action="pool.looked_at")
    assert (entry.actor_kind, entry.actor_id, entry.api_key) == ("api_key", player.pk, "ol_ab12cd34")


def test_a_command_is_told_apart(db):
    audit.attribute(by=None)
    audit.record(action="pool.imported")

    assert AuditEntry.objects.get(action="pool.imported").actor_kind == "command"


@pytest.mark.parametrize(
    ("action", "data"),
    [
        ("Signed in", {}),
        ("signed_in", {}),
        ("a.b" * 30, {}),
        ("user.seen", {"email": "x"}),
        ("user.seen", {"why": "ann@example.org"}),
        ("user.seen", {"why": "two\nlines"}),
        ("user.seen", {"why": "x" * 201}),
        ("user.seen", {"why": {"nested": "x"}}),
        ("user.seen", {"amount": 1.5}),
    ],
)
def test_what_has_no_place_in_it_is_refused(db, action, data):
    before = AuditEntry.objects.count()

    with pytest.raises(ValueError):
        audit.record(action=action, data=data)

    assert AuditEntry.objects.count() == before


def test_an_entry_goes_with_the_transaction_it_tells_of(db):
    with transaction.atomic():
        audit.record(action="thing.done")
        transaction.set_rollback(True)

    assert not AuditEntry.objects.filter(action="thing.done").exists()


def test_its_time_is_the_database_s_whatever_is_given(db):
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_auditentry (action, at) VALUES ('thing.done', '2001-01-01') RETURNING"
            " at > clock_timestamp() - interval '1 minute'"
        )
        assert cursor.fetchone()[0]
