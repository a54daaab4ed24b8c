"""The double's own books: every movement by category, every charge by what became of it."""

from tests.config.local.stripe.conftest import open_session, paid_session


def sums(count, gross, fee, net):
    return {"count": count, "gross": gross, "fee": fee, "net": net}


def test_new_account_has_empty_books(double):
    assert double.books() == {"currencies": {}, "charges": []}


def test_books_sum_every_movement_by_currency_and_category(client, double):
    first, second = (paid_session(double, client) for _ in range(2))
    double.dashboard_refund(1000, session=first.id)
    double.move_dispute(double.dispute(session=second.id)["id"], "won")

    usd = double.books()["currencies"]["usd"]

    assert usd["categories"] == {
        "charge": sums(2, 10_000, 350, 9650),
        "refund": sums(1, -1000, 0, -1000),
        "dispute": sums(1, -5000, 1500, -6500),
        "dispute_reversal": sums(1, 5000, 0, 5000),
    }
    assert {name: usd[name] for name in ("count", "gross", "fee", "net")} == sums(5, 9000, 1850, 7150)
    assert usd["available"] + usd["pending"] == usd["net"]


def test_books_tell_what_became_of_each_charge(client, double):
    session = paid_session(double, client)
    failed = double.dashboard_refund(300, session=session.id)
    double.move_refund(failed["id"], "failed")
    double.next_refunds()
    double.dashboard_refund(200, session=session.id)
    double.dashboard_refund(100, session=session.id)
    double.dispute(4000, session=session.id)

    assert double.books()["charges"] == [
        {
            "id": session.payment_intent.latest_charge.id,
            "payment_intent": session.payment_intent.id,
            "session": session.id,
            "currency": "usd",
            "amount": 5000,
            "refunded": 100,
            "refund_pending": 200,
            "disputed": 4000,
            "returned": 0,
            "settled": {"currency": "usd", **sums(5, 900, 1675, -775)},
        }
    ]


def test_declined_charge_is_in_no_book(client, double):
    double.pay(open_session(client).url, "4000000000000002")

    assert double.books() == {"currencies": {}, "charges": []}
