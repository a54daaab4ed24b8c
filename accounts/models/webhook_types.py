"""What can be told to subscribers, to whom, and the codes of endpoints and deliveries."""

from django.db import models

from accounts.models.user import Role

BACK_OFFICE = (Role.MODERATOR, Role.FINANCE, Role.ADMIN)
MONEY = (Role.FINANCE, Role.ADMIN)


class EventType(models.TextChoices):
    """What can be told. Added to, never renamed."""

    REQUEST_CREATED = "request.created", "Somebody asked for a place."
    REQUEST_APPROVED = "request.approved", "A request was approved: a place is held until `pay_by`."
    REQUEST_REJECTED = "request.rejected", "A request was rejected, with the reason that the player reads."
    REQUEST_WITHDRAWN = "request.withdrawn", "A request was withdrawn."
    REQUEST_EXPIRED = "request.expired", "A request was not paid in time."
    ENTRY_CREATED = "entry.created", "An entry was born: a request is paid, or needs no payment."
    ENTRY_ELIMINATED = "entry.eliminated", "An entry is out, with the round and the reason."
    ENTRY_REVIVED = "entry.revived", "An entry is in again: bought back, or by a corrected result or a ruling."
    ENTRY_WON = "entry.won", "An entry has won. `prize_cents` is its share."
    ENTRY_VOIDED = "entry.voided", "An entry was taken out of the contest."
    PAYMENT_RECEIVED = "payment.received", "Money came in for a request."
    PAYMENT_FAILED = "payment.failed", "A payment failed. The place stays held."
    PAYMENT_REFUNDED = "payment.refunded", "Money went back: all of a payment, or some of it."
    ROUND_LOCKED = "round.locked", "A round has locked: picks of it can no longer change."
    ROUND_REVEALED = "round.revealed", "Picks of a round may be shown."
    ROUND_SETTLED = "round.settled", "A round is over, or over anew after a correction: all of its games are decided."
    GAME_FINAL = "game.final", "A game has ended, with its score."
    GAME_CORRECTED = "game.corrected", "The score of an ended game was corrected."
    ENTRIES_ELIMINATED = "entries.eliminated", "How many entries of a pool fell, and how many are left."
    WINNERS_DECLARED = "winners.declared", "A pool has winners."
    WINNERS_WITHDRAWN = "winners.withdrawn", "A correction took titles away."
    POOL_STARTED = "pool.started", "The first round of a pool has locked."
    POOL_ENDED = "pool.ended", "Nothing is left to play for."
    POOL_REOPENED = "pool.reopened", "A correction took the end of a pool away again."
    POOL_CANCELLED = "pool.cancelled", "A pool was cancelled; what was paid goes back."
    TEST = "webhook.test", "You asked for it. Nothing happened."


# Whose endpoints may be told of everybody's, by the first word of the type. The rest is public.
SEEN_BY = {"request": BACK_OFFICE, "entry": BACK_OFFICE, "payment": MONEY}


class Covers(models.TextChoices):
    """Whose entries, requests and payments. What is public about pools is told to both."""

    OWN = "own", "the owner's"
    ALL = "all", "everybody's"


class OffBecause(models.TextChoices):
    """Why an endpoint is told nothing."""

    ON = "", "it is on"
    OWNER = "owner", "its owner switched it off"
    FAILING = "failing", "nothing arrived for days"
    GONE = "gone", "it answered 410 Gone"


class DeliveryStatus(models.TextChoices):
    """`cancelled`: its endpoint was removed, or its owner may not know this any more."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    CANCELLED = "cancelled"


# Back to pending by a replay.
DELIVERY_TRANSITIONS = {
    DeliveryStatus.PENDING: (DeliveryStatus.DELIVERED, DeliveryStatus.FAILED, DeliveryStatus.CANCELLED),
    DeliveryStatus.DELIVERED: (DeliveryStatus.PENDING,),
    DeliveryStatus.FAILED: (DeliveryStatus.PENDING, DeliveryStatus.CANCELLED),
}


class AttemptCause(models.TextChoices):
    EVENT = "event"
    RETRY = "retry"
    REPLAY = "replay"
