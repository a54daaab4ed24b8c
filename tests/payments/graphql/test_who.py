"""Each kind of person is told the same rows in GraphQL as over REST: no more, and no fewer."""

import pytest

from payments.models import Payment
from tests.factories.accounts import AdminFactory, FinanceFactory, ModeratorFactory, UserFactory
from tests.factories.entries import RequestFactory
from tests.factories.payments import paid_entry, refund_of, unapplied_money
from tests.factories.pools import PoolFactory
from tests.support.asking import ask, codes, send

pytestmark = pytest.mark.django_db
LISTS = ("requests", "entries", "payments")
# Every day those who see something, everything and nothing; the others with each commit.
RARELY = [pytest.param(kind, marks=pytest.mark.slow) for kind in ("other", "moderator", "admin")]
KINDS = ("owner", "finance", "nobody", *RARELY)
ONE = {"requests": "request", "entries": "entry", "payments": "payment"}


@pytest.fixture
def people(db):
    pool = PoolFactory()
    owner, other = (paid_entry(RequestFactory(approved=True, pool=pool)).user for _ in range(2))
    return {
        "owner": owner, "other": other, "nobody": UserFactory(), "moderator": ModeratorFactory(),
        "finance": FinanceFactory(), "admin": AdminFactory(),
    }  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LISTS)
def test_a_list_holds_what_the_list_of_rest_holds(api, people, name, kind):
    client = api(people[kind])
    rest = [row["id"] for row in client.get(f"/api/v1/{name}?limit=100").json()["data"]]

    found = ask(client, f"{{ {name}(first: 100) {{ total nodes {{ id }} }} }}")[name]

    assert [row["id"] for row in found["nodes"]] == rest
    assert found["total"] == len(rest)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", LISTS)
def test_one_row_is_there_for_whom_it_is_there_over_rest(api, people, name, kind):
    admin = api(people["admin"])
    client = api(people[kind])
    for row in admin.get(f"/api/v1/{name}").json()["data"]:
        there = client.get(f"/api/v1/{name}/{row['id']}").status_code == 200
        answer = send(client, f"{{ {ONE[name]}(id: {row['id']}) {{ id }} }}")
        assert codes(answer) == ([] if there else ["NOT_FOUND"])


@pytest.mark.parametrize("name", ["me", *LISTS, *ONE.values()])
def test_who_is_not_signed_in_is_told_so(api, people, name):
    field = {"me": "me { id }"}.get(name) or (f"{name} {{ total }}" if name in LISTS else f"{name}(id: 1) {{ id }}")

    answer = send(api(), f"{{ {field} }}")

    assert answer.json()["data"] == {name: None}
    assert codes(answer) == ["NOT_AUTHENTICATED"]


def test_a_payment_leads_to_its_request_for_whom_the_request_is_there(api, people):
    query = "{ payments { nodes { id status amountCents refundedCents currency provider request { id user } } } }"
    payment = Payment.objects.get(request__user=people["owner"])

    (row,) = ask(api(people["owner"]), query)["payments"]["nodes"]

    rest = api(people["owner"]).get(f"/api/v1/payments/{payment.pk}").json()["data"]
    assert row["request"] == {"id": payment.request_id, "user": people["owner"].pk}
    assert (row["status"], row["amountCents"], row["currency"], row["provider"]) == (
        rest["status"], rest["amount_cents"], rest["currency"], rest["provider"]
    )  # fmt: skip


def test_what_was_given_back_is_told(api):
    refund = refund_of(unapplied_money())
    owner = refund.receipt.payment.request.user

    assert ask(api(owner), "{ payments { nodes { refundedCents } } }")["payments"]["nodes"] == [
        {"refundedCents": refund.amount_cents}
    ]


def test_payments_are_filtered_as_over_rest(api, people):
    client = api(people["finance"])
    for status in ("pending", "succeeded", "failed", "cancelled"):
        rest = client.get(f"/api/v1/payments?status={status}").json()["meta"]["pagination"]["total"]
        assert ask(client, f"{{ payments(status: {status}) {{ total }} }}")["payments"]["total"] == rest
