"""Versions of rows: another one after every write, the same after everything else."""

import pytest
from django.db import transaction

from config.errors import DomainError
from config.models import OutboxMessage
from config.versions import refuse_stale, version_of

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def row():
    return OutboxMessage.objects.create(kind="mail.test", key="one", payload={})


def test_a_write_makes_another_version_and_a_look_does_not(row):
    before = version_of(row)
    with transaction.atomic():
        OutboxMessage.objects.select_for_update().get(pk=row.pk)
    assert version_of(row) == before
    row.save()
    assert version_of(row) != before


def test_rows_together_have_the_versions_of_each(row):
    other = OutboxMessage.objects.create(kind="mail.test", key="two", payload={})
    together = version_of(row, other)
    assert together == f"{version_of(row)}-{version_of(other)}"
    other.save()
    assert version_of(row, other) != together


def test_a_row_that_is_gone_has_the_version_of_none(row):
    before, pk = version_of(row), row.pk
    row.delete()
    row.pk = pk
    assert (version_of(row), before == "0") == ("0", False)


def test_whoever_has_seen_nothing_is_not_stopped(row):
    refuse_stale(None, row)


def test_one_of_several_seen_versions_is_enough(row):
    refuse_stale({"1", version_of(row)}, row)


@pytest.mark.parametrize("seen", [set(), {"1"}, {""}])
def test_another_version_is_a_conflict(row, seen):
    with pytest.raises(DomainError) as refusal:
        refuse_stale(seen, row)
    assert refusal.value.code == "VERSION_CONFLICT"
