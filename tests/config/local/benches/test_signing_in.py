"""The storm is one, its picks are such as our door takes, and a run in which nobody was hashed is no measurement."""

import json

import pytest

from config.local.benches import signing_in, storming
from config.local.benches.runs import Meaningless
from entries.models import Entry
from tests.factories.entries import EntryFactory

pytestmark = pytest.mark.django_db


def said(**statuses):
    storm = signing_in._Storm(9, 1)
    storm.said = json.dumps({name.removeprefix("s"): count for name, count in statuses.items()})
    return storm


def test_a_storm_that_was_hashed_in_part_and_turned_away_in_part_is_one():
    said(s401=20, s503=300).expect_hashing()


@pytest.mark.parametrize("statuses", [{"s503": 300}, {"s401": 2}, {"s401": 20, "s0": 1}, {"s401": 20, "s500": 1}, {}])
def test_any_other_is_no_measurement(statuses):
    with pytest.raises(Meaningless):
        said(**statuses).expect_hashing()


def test_a_server_that_is_not_there_is_told_as_such(monkeypatch):
    monkeypatch.setattr(storming, "PER_SECOND", 5)

    assert storming.storm(9, 1) == {0: 5}


def test_what_it_sends_is_taken_and_each_is_a_change(api, monkeypatch):
    entry = EntryFactory()
    monkeypatch.setattr(signing_in, "PLAN", signing_in.Plan("storm", entries=1))

    changes = signing_in._changes()

    assert [change.path for change in changes] == [f"/api/v1/entries/{entry.pk}/picks/2"] * 2
    assert changes[0].body != changes[1].body
    for change in changes:
        answer = api().generic(
            "PUT",
            change.path,
            change.body,
            content_type="application/json",
            headers={"Authorization": f"Bearer {change.access}"},
        )
        assert answer.status_code == 200
    assert Entry.objects.count() == 1
