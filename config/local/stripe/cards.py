"""The test cards, and what the bank says to each."""

from dataclasses import dataclass

from config.local.stripe.ids import fingerprint_of


@dataclass(frozen=True, slots=True)
class Decline:
    code: str
    decline_code: str
    message: str


@dataclass(frozen=True, slots=True)
class Card:
    """`decline` is None for a card that pays."""

    number: str
    brand: str
    token: str
    decline: Decline | None = None

    @property
    def fingerprint(self) -> str:
        """What Stripe calls its number."""
        return fingerprint_of(self.number)

    @property
    def last4(self) -> str:
        return self.number[-4:]


GOOD = Card("4242424242424242", "visa", "pm_card_visa")
DECLINED = Card(
    "4000000000000002",
    "visa",
    "pm_card_visa_chargeDeclined",
    Decline("card_declined", "generic_decline", "Your card was declined."),
)

CARDS = (GOOD, DECLINED)
BY_NUMBER = {card.number: card for card in CARDS}
BY_TOKEN = {card.token: card for card in CARDS} | {"pm_card_chargeDeclined": DECLINED}


def find_card(number: str) -> Card | None:
    """The card of this number; people may write it in groups of four."""
    return BY_NUMBER.get(number.replace(" ", "").replace("-", ""))
