"""The audit in the back office: for admins alone, found by an index, with the names of today."""

import pytest
from django.db import connection

from config import audit
from config.audit.sealing import seal
from config.models import AuditEntry
from tests.factories.accounts import UserFactory
from tests.factories.pools import league

LIST = "/admin/config/auditentry/"


@pytest.fixture
def boss(browser, admin_user):
    return browser(admin_user).client


@pytest.fixture
def filled(db, moderator):
    ada = UserFactory(email="ada@example.test", display_name="Ada")
    audit.record(action="thing.done", subject_type="payment", subject_id=17, person=ada, by=moderator, reason="first")
    audit.record(action="thing.undone", subject_type="payment", subject_id=18, by=None, reason="second")
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_auditentry (action, request_id, reason) VALUES ('other.done', 'call-5', 'third')"
        )
    seal()
    return ada


def reasons(client, term):
    page = client.get(LIST, {"q": term})
    assert page.status_code == 200
    text = page.content.decode()
    return [reason for reason in ("first", "second", "third") if f">{reason}<" in text.replace("\n", "")]


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        ("call-5", ["third"]),
        ("payment 17", ["first"]),
        ("payment 99", []),
        ("thing.done", ["first"]),
        ("thing.", ["first", "second"]),
        ("ada@example.test", ["first"]),
        ("ADA@example.test ", ["first"]),
        ("nobody@example.test", []),
        ("' OR 1=1 --", []),
        ("9" * 30, []),
    ],
)
def test_it_is_searched(boss, filled, term, expected):
    assert reasons(boss, term) == expected


def test_a_person_is_found_by_id(boss, filled):
    assert reasons(boss, str(filled.pk)) == ["first"]


def test_a_page_tells_place_and_hash(boss, filled):
    entry = AuditEntry.objects.get(action="thing.done")

    text = boss.get(f"{LIST}{entry.pk}/change/").content.decode()

    assert entry.link.hash in text
    assert f"{entry.link.day} {entry.link.number}" in text
    assert f"Ada ({filled.pk})" in text


def test_one_that_is_not_linked_yet_is_shown_as_well(boss, db):
    audit.record(action="thing.done")
    entry = AuditEntry.objects.get(action="thing.done")

    assert "not linked yet" in boss.get(f"{LIST}{entry.pk}/change/").content.decode()


def test_it_is_for_admins_alone(browser, moderator, finance, player, db):
    for person in (moderator, finance):
        client = browser(person).client
        assert client.get(LIST).status_code == 403
        assert client.get("/admin/config/auditday/").status_code == 403
    assert browser(player).client.get(LIST).status_code == 302


def test_nothing_is_changed_there(boss, filled):
    entry = AuditEntry.objects.get(action="thing.done")

    assert boss.get(f"{LIST}add/").status_code == 403
    assert boss.post(f"{LIST}{entry.pk}/change/", {"reason": "x"}).status_code == 403
    assert boss.post(f"{LIST}{entry.pk}/delete/", {"post": "yes"}).status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).reason == "first"


def test_days_are_listed(boss, db):
    assert boss.get("/admin/config/auditday/").status_code == 200


def test_the_list_costs_the_same_for_few_and_for_many(boss, db, django_assert_num_queries):
    counts = []
    for number in (1, 20):
        for _ in range(number):
            audit.record(action="thing.done", person=UserFactory(), by=UserFactory())
        with django_assert_num_queries(20, exact=False) as captured:
            boss.get(LIST)
        counts.append(len(captured))

    assert counts[0] == counts[1]


class TestPicks:
    """That somebody changed their mind is theirs alone until the round is revealed."""

    @pytest.fixture
    def round_(self, db):
        return league().rounds.first()

    def save(self, round_, many=1):
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO entries_pickchange (entry_id, round_id, slot, to_team_id, source, at, reason)"
                " SELECT n, %s, 1, 424242, 'player', now(), '' FROM generate_series(1, %s) n",
                [round_.pk, many],
            )

    @pytest.mark.parametrize("many", [1, 101])
    def test_are_not_listed_before_and_are_afterwards(self, boss, round_, many):
        self.save(round_, many)
        entry = AuditEntry.objects.get(action="pick.saved")

        for asked in ({}, {"q": "pick."}, {"q": "pick.saved"}):
            assert ">pick.saved<" not in boss.get(LIST, asked).content.decode()
        assert boss.get(f"{LIST}{entry.pk}/change/").status_code == 302

        with connection.cursor() as cursor:
            cursor.execute("UPDATE pools_round SET revealed_at = now() WHERE id = %s", [round_.pk])
        assert ">pick.saved<" in boss.get(LIST, {"q": "pick."}).content.decode()
        assert boss.get(f"{LIST}{entry.pk}/change/").status_code == 200

    def test_of_nobody_s_round_stay_hidden(self, boss, round_):
        round_.pk = 999_999
        self.save(round_)

        assert ">pick.saved<" not in boss.get(LIST).content.decode()


def test_a_request_leads_to_everything_done_under_it(boss, filled):
    text = boss.get(LIST).content.decode()

    assert 'href="?q=call-5"' in text


def test_somebody_without_the_role_reads_why_and_finds_back(browser, moderator):
    page = browser(moderator).client.get(LIST)

    assert page.status_code == 403
    assert "Not for your role" in page.content.decode()
    assert 'href="/admin/"' in page.content.decode()


def test_an_address_that_leads_nowhere_leads_back(boss):
    page = boss.get("/admin/nothing/")

    assert page.status_code == 404
    assert "There is nothing here" in page.content.decode()
    assert 'href="/admin/"' in page.content.decode()
