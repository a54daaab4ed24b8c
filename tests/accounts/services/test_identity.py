"""What somebody is to the tax office."""

import pytest

from accounts.models import PersonalDetails
from accounts.services.blocking import deactivate_user
from accounts.services.identity import look_at_personal_data, save_identity
from config.clock import database_now
from config.errors import Conflict, Malformed
from config.models import AuditEntry
from tests.factories.accounts import AdminFactory

TOLD = {"legal_name": "Grace Brewster Hopper", "tax_country": "us", "tax_number": "123-45-6789"}


def tell(user, **given) -> PersonalDetails:
    return save_identity(user=user, now=database_now(), **{**TOLD, **given})


def test_it_is_kept_in_one_form(user):
    found = tell(user, legal_name="  Grace   Hopper ", tax_number=" ab 12-34 x ")

    assert (found.legal_name, found.tax_country, found.tax_number) == ("Grace Hopper", "US", "AB 12-34 X")


def test_the_number_stays_while_it_is_not_told_and_goes_when_it_is_told_empty(user):
    tell(user)

    assert tell(user, tax_number=None, legal_name="Grace Murray").tax_number == "123-45-6789"
    assert tell(user, tax_number="").tax_number == ""


@pytest.mark.parametrize(
    ("number", "ends"), [("123-45-6789", "6789"), ("12345678", "5678"), ("1234567", ""), ("1234", ""), ("", "")]
)
def test_of_the_number_the_end_is_shown_where_enough_stays_hidden(user, number, ends):
    assert tell(user, tax_number=number).tax_number_ends == ends


@pytest.mark.parametrize(
    ("bad", "field"),
    [
        ({"legal_name": " "}, "legal_name"),
        ({"legal_name": "x" * 121}, "legal_name"),
        ({"legal_name": "a\u202eb"}, "legal_name"),
        ({"tax_country": "UK"}, "tax_country"),
        ({"tax_number": "123"}, "tax_number"),
        ({"tax_number": "1" * 31}, "tax_number"),
        ({"tax_number": "12--34"}, "tax_number"),
        ({"tax_number": "=1+1"}, "tax_number"),
        ({"tax_number": "１２３４５"}, "tax_number"),
    ],
)
def test_nonsense_is_refused_by_field(user, bad, field):
    with pytest.raises(Malformed) as caught:
        tell(user, **bad)

    assert list(caught.value.details) == [field]
    assert not PersonalDetails.objects.exists()


def test_the_audit_names_what_changed_and_no_value(user):
    tell(user)
    tell(user)
    tell(user, legal_name="Grace Murray")

    told = list(AuditEntry.objects.filter(action="identity.changed").order_by("id"))
    assert [one.data["fields"] for one in told] == [["legal_name", "tax_country", "tax_number"], ["legal_name"]]
    assert {(one.person_id, one.actor_id) for one in told} == {(user.pk, user.pk)}
    assert "Grace" not in str([one.data for one in told])


def test_an_account_that_is_not_open_tells_nothing(user):
    deactivate_user(user=user, by=AdminFactory(), reason="x")

    with pytest.raises(Conflict):
        tell(user)


def test_a_look_is_written_down(user, finance):
    tell(user)

    found = look_at_personal_data(user=user, by=finance, reason="form 1099")

    assert found.tax_number == "123-45-6789"
    seen = AuditEntry.objects.get(action="personal_data.seen")
    assert (seen.person_id, seen.actor_id, seen.reason) == (user.pk, finance.pk, "form 1099")
