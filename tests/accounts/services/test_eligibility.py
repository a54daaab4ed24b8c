"""Who may play where they live."""

from datetime import UTC, date, datetime

import pytest

from accounts.models import AgeLimit, AgeLimitChange
from accounts.services.eligibility import Law, age_on, check_place, law_of, remove_age_limit, set_age_limit
from config.errors import Code, DomainError
from tests.accounts.test_models import broken_by, run

TODAY = date(2026, 11, 22)
OF_AGE = date(2008, 11, 22)


def refusal(**given):
    known = {"country": "US", "region": "NV", "date_of_birth": OF_AGE, "today": TODAY}
    try:
        check_place(**{**known, **given})
    except DomainError as refused:
        return refused.code, refused.details
    return None


def limit(country="US", region="", **given) -> AgeLimit:
    return AgeLimit.objects.create(country=country, region=region, **given)


@pytest.mark.parametrize(
    ("born", "today", "age"),
    [
        (date(2008, 11, 22), date(2026, 11, 22), 18),
        (date(2008, 11, 23), date(2026, 11, 22), 17),
        (date(2008, 2, 29), date(2026, 2, 28), 17),
        (date(2008, 2, 29), date(2026, 3, 1), 18),
        (date(2026, 11, 22), date(2026, 11, 22), 0),
    ],
)
def test_age_is_full_years(born, today, age):
    assert age_on(today, born=born) == age


def test_eighteen_holds_where_nothing_is_said(db):
    assert refusal() is None
    assert refusal(country="", region="") is None
    assert refusal(date_of_birth=date(2008, 11, 23)) == (Code.NOT_ELIGIBLE, {"minimum_age": 18})
    assert refusal(date_of_birth=None) == (Code.NOT_ELIGIBLE, {"minimum_age": 18})


def test_the_stricter_of_place_and_what_is_asked_for_counts(db):
    limit(minimum_age=21)

    assert refusal(minimum_age=18) == (Code.NOT_ELIGIBLE, {"minimum_age": 21})
    assert refusal(minimum_age=25) == (Code.NOT_ELIGIBLE, {"minimum_age": 25})
    assert refusal(country="CA", minimum_age=0) is None


def test_a_region_stands_in_for_its_country(db):
    limit(is_barred=True)
    limit(region="NV", minimum_age=18)

    assert refusal() is None
    assert refusal(region="CA") == (Code.NOT_ELIGIBLE, {"country": "US", "region": "CA"})


def test_a_country_without_rows_of_regions_asks_for_none(db):
    limit(minimum_age=18)

    assert refusal(region="") is None


def test_who_could_live_anywhere_is_asked_where(db):
    limit(region="WA", is_barred=True)

    code, details = refusal(region="")
    assert (code, list(details)) == (Code.VALIDATION_ERROR, ["region"])
    assert refusal(region="NV") is None


def test_the_law_costs_one_query(db, django_assert_num_queries):
    limit(minimum_age=21)
    limit(region="NV", minimum_age=19)

    with django_assert_num_queries(1):
        assert law_of(country="US", region="NV") == Law("US", "NV", 19)


def test_a_place_is_set_changed_and_removed_with_a_name_and_a_reason(admin_user):
    for age in (19, 21):
        row = set_age_limit(
            country="us", region="nv", minimum_age=age, is_barred=False, by=admin_user, reason=f"statute of {age}"
        )
    remove_age_limit(limit=row, by=admin_user, reason="moved to the country's")
    remove_age_limit(limit=row, by=admin_user, reason="again")

    told = [(one.from_values.get("minimum_age"), one.to_values.get("minimum_age"), one.reason) for one in history()]
    assert told == [
        (None, 19, "statute of 19"),
        (19, 21, "statute of 21"),
        (21, None, "moved to the country's"),
    ]
    assert {one.actor_id for one in history()} == {admin_user.pk}
    assert not AgeLimit.objects.exists()


def history():
    return list(AgeLimitChange.objects.order_by("id"))


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"country": "UK"}, "country"),
        ({"region": "ne vada"}, "region"),
        ({"minimum_age": 0}, "minimum_age"),
        ({"minimum_age": 121}, "minimum_age"),
        ({"reason": "  "}, "reason"),
    ],
)
def test_nonsense_is_refused(admin_user, bad, field):
    given = {"country": "US", "region": "", "minimum_age": 21, "is_barred": False, "reason": "law", **bad}
    with pytest.raises(DomainError) as caught:
        set_age_limit(by=admin_user, **given)

    assert (caught.value.code, list(caught.value.details)) == (Code.VALIDATION_ERROR, [field])
    assert not AgeLimit.objects.exists()


def test_raw_sql_leaves_a_line_too_and_cannot_take_it_back(db):
    row = limit(minimum_age=21)

    run("UPDATE accounts_agelimit SET minimum_age = 16 WHERE id = %s", row.pk)

    assert [one.to_values["minimum_age"] for one in history()] == [21, 16]
    assert broken_by("DELETE FROM accounts_agelimitchange") == "append_only"
    assert broken_by("UPDATE accounts_agelimitchange SET reason = 'x'") == "append_only"


@pytest.mark.parametrize(
    ("values", "constraint"),
    [
        ("'us', '', 18", "age_limit_country_code"),
        ("'US', 'n v', 18", "age_limit_region_code"),
        ("'US', '', 0", "age_limit_of_a_life"),
        ("'US', 'NV', 18", "age_limit_once"),
    ],
)
def test_the_table_takes_no_nonsense(db, values, constraint):
    limit(region="NV")

    sql = f"INSERT INTO accounts_agelimit (country, region, minimum_age, is_barred) VALUES ({values}, false)"
    assert broken_by(sql) == constraint


def test_the_clock_of_the_caller_decides(db):
    born = date(2008, 11, 23)

    assert refusal(date_of_birth=born, today=datetime(2026, 11, 23, tzinfo=UTC).date()) is None
