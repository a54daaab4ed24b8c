"""The story itself: told twice it is the same, and its books hold."""

from payments.ledger.balances import trial_balance


def test_the_books_add_up(story):
    assert set(trial_balance(livemode=False).proof.values()) == {0}
