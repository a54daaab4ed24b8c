"""What payments and entries put into a player's own data: all of theirs, nothing of others, no secrets."""

import io
import json

from django.utils import timezone

from accounts.services.own_data import write_own_data
from payments.models import TaxForm
from tests.factories.accounts import FinanceFactory, UserFactory
from tests.factories.entries import RequestFactory, pick
from tests.factories.payments import paid_entry, refund_of, unapplied_money


def data_of(user) -> dict:
    file = io.BytesIO()
    write_own_data(user=user, file=file)
    return json.loads(file.getvalue())


def player_with_everything():
    user = UserFactory()
    entry = paid_entry(RequestFactory(approved=True, user=user))
    pick(entry, 1, entry.pool.competition.games.filter(round__number=1).first().home.code)
    [receipt] = entry.request.payments.get().receipts.all()
    refund_of(receipt)
    TaxForm.objects.create(
        player=user, form="W-9", received_on=timezone.now().date(), tin_last_four="6789", recorded_by=FinanceFactory()
    )
    return user, entry


def test_everything_of_the_player_is_there(db):
    user, entry = player_with_everything()
    data = data_of(user)

    counts = {name: len(data[name]) for name in ("requests", "entries", "picks", "payments", "receipts", "refunds")}
    assert counts == dict.fromkeys(counts, 1)
    assert data["picks"][0]["entry_id"] == data["entries"][0]["id"] == entry.pk
    assert data["pick_changes"][0]["to_team_id"]
    assert data["receipts"][0]["payment_id"] == data["payments"][0]["id"]
    assert data["refunds"][0]["receipt_id"] == data["receipts"][0]["id"]
    assert data["tax_forms"][0]["tin_last_four"] == "6789"
    assert (data["truncated"], data["payouts"], data["payout_accounts"]) == ([], [], [])


def test_a_player_gets_nothing_of_another(db):
    player_with_everything()
    data = data_of(UserFactory())

    empty = [name for name, rows in data.items() if name not in ("account", "audit") and rows]
    assert empty == []


def test_no_secret_of_the_provider_and_no_name_of_staff_is_in_it(db):
    user, entry = player_with_everything()
    entry.request.payments.update(client_secret="pi_1_secret_canary", checkout_url="https://pay.test/canary")

    text = json.dumps(data_of(user))

    assert "canary" not in text
    assert not [key for key in ("recorded_by", "decided_by", "requested_by", "actor_id") if key in text]


def test_what_is_asked_of_the_database_does_not_grow_with_the_rows(db, django_assert_max_num_queries):
    user, _ = player_with_everything()
    for _ in range(3):
        paid_entry(RequestFactory(approved=True, user=user))

    with django_assert_max_num_queries(32):
        data_of(user)


def test_receipts_without_a_place_are_theirs_too(db):
    request = RequestFactory(approved=True)

    receipt = unapplied_money(request)

    assert [one["id"] for one in data_of(request.user)["receipts"]] == [receipt.pk]
