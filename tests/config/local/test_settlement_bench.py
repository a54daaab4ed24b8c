"""The benchmark compares like with like: both ways of settling come to the same fates."""

import pytest
from django.db import transaction

from config.local.benches import settlement
from entries.models import Entry
from entries.services.settlement import settle_competition


def fates():
    fields = ("id", "status", "strikes", "eliminated_round_number", "eliminated_code", "rules_version")
    return list(Entry.objects.order_by("id").values(*fields))


@pytest.mark.django_db
def test_the_loop_and_the_set_based_settlement_agree(monkeypatch):
    monkeypatch.setattr(settlement, "ENTRIES", 20)
    competition = settlement._round_of_entries()

    with transaction.atomic():
        fallen = sum(settlement._settle_one(entry) for entry in Entry.objects.all())
        by_loop = fates()
        transaction.set_rollback(True)
    settle_competition(competition_id=competition.pk)

    settlement._expect(fallen)
    assert fates() == by_loop


def test_a_measurement_of_something_else_is_refused():
    with pytest.raises(RuntimeError, match="means nothing"):
        settlement._expect(0)
