"""The rules in words, second part: who may come in, how the pool ends, and who gets how much."""

from collections.abc import Iterator
from decimal import Decimal

from config.money import format_amount
from pools.models import AllOut, LastRound, Payout, Pool, Rules


def percent(basis_points: int) -> str:
    """`250` → `2.5 %`."""
    number = f"{Decimal(basis_points) / 100:f}"
    return f"{number.rstrip('0').rstrip('.') if '.' in number else number} %"


def has_tiebreak(rules: Rules) -> bool:
    """Whether margins may decide who wins."""
    return rules.last_round == LastRound.TIEBREAK or rules.all_out == AllOut.TIEBREAK


def entering(rules: Rules, pool: Pool) -> Iterator[str]:
    """The fee, coming in late, coming back."""
    cost = f"costs {format_amount(pool.entry_fee_cents, pool.currency)}" if pool.entry_fee_cents else "is free"
    yield f"An entry {cost}."
    closes = ", or until registration closes where that is earlier"
    until = rules.late_entry_until
    if until is None:
        yield f"Places are to be had until round {pool.first_round_number} locks{closes}."
    else:
        yield f"Places are to be had, for the same fee, until round {until} locks{closes}."
        price = "costs it a strike" if rules.late_entry_strikes else "costs it nothing"
        yield (
            "An entry plays from the first round that had not locked when it was paid; each round that the pool played"
            f" before {price}."
        )
    yield from _buying_back(rules, pool)


def _buying_back(rules: Rules, pool: Pool) -> Iterator[str]:
    if rules.buy_back_until is None:
        yield "An entry that is out cannot buy back in."
        return
    fee = "for free"
    if rules.buy_back_fee_cents:
        fee = f"for {format_amount(rules.buy_back_fee_cents, pool.currency)} each time"
    limit = rules.buy_back_limit
    times = "once" if limit == 1 else f"up to {limit} times"
    yield (
        f"An entry that falls in a round up to {rules.buy_back_until} may buy back in {times}, {fee}: once that round"
        " is complete, and before the lock of the next round that has not locked."
    )
    yield (
        "From that round on it plays again. The round that put it out, and those up to its return, cost it nothing; its"
        " strikes and its used teams from before stay."
    )


def the_end(rules: Rules, pool: Pool) -> Iterator[str]:
    """When the pool ends and who wins."""
    yield (
        "A round is complete when no pick for it can arrive any more and each of its games is final, cancelled or"
        " postponed. Eliminations show before; winners are declared only when every round up to the end is complete."
    )
    yield (
        "The pool ends with the first complete round that leaves at most one entry in, or with round"
        f" {pool.last_round_number}. Whoever is in then wins."
    )
    if rules.late_entry_until is not None:
        yield f"It does not end before round {rules.late_entry_until} has locked: somebody may still come in."
    if rules.buy_back_until is not None:
        yield f"After a round up to {rules.buy_back_until} it does not end before the next round has locked."
    yield _last_round(rules, pool)
    yield _all_out(rules)
    if has_tiebreak(rules):
        yield (
            "The margin of an entry is the sum, over its picks up to the round of the end, of the points of the picked"
            " team less those of the other side, in final games that belong to the pick's round. Losses count below"
            " zero."
        )


def _last_round(rules: Rules, pool: Pool) -> str:
    several = f"If several entries are still in after round {pool.last_round_number}"
    if rules.last_round == LastRound.TIEBREAK:
        return f"{several}, the ones with the highest margin win, and the others are out in that round."
    return f"{several}, all of them win."


def _all_out(rules: Rules) -> str:
    nobody = "If a complete round leaves nobody in"
    if rules.all_out == AllOut.REVIVE:
        return f"{nobody}, it eliminates nobody and costs nobody a strike."
    who = "those who fell in it and had submitted a pick for it win; if none of them had, all who fell in it win"
    if rules.all_out == AllOut.TIEBREAK:
        who = (
            "the highest margin wins, of those who fell in it and had submitted a pick for it; if none of them had, of"
            " all who fell in it. Equal margins win together"
        )
    return f"{nobody}, {who}."


def prizes(rules: Rules, pool: Pool) -> Iterator[str]:
    """The pot, the house, the shares, and every rounding."""
    yield from _pot(rules, pool)
    odd = f"What does not divide goes to the lowest entry ids, {format_amount(1, pool.currency)} each."
    if rules.payout == Payout.EQUAL:
        yield f"The winners share the pot equally. {odd}"
        return
    ranks = [f"{percent(points)} for rank {rank}" for rank, points in enumerate(rules.payout_table, start=1)]
    yield f"The pot is shared out by rank: {', '.join(ranks)}."
    yield _ranking(rules)
    yield f"Equals share the sum of their ranks equally. {odd}"
    yield (
        "The amount up to a rank is the pot times the percentages up to it, rounded down, so that all amounts add up to"
        " the pot. What ranks would get that nobody takes goes to rank 1."
    )


def _pot(rules: Rules, pool: Pool) -> Iterator[str]:
    fees = "every fee paid for an entry"
    if rules.buy_back_until is not None:
        fees += " or for buying back in"
    if not rules.house_fee_bp:
        yield f"The pot is the sum of {fees}. The house keeps nothing."
    else:
        part = f"{percent(rules.house_fee_bp)}, rounded down to {format_amount(1, pool.currency)}"
        yield f"Of {fees} the house keeps {part}{_for_example(rules, pool)}; the rest is in the pot."
    yield "A fee that was paid back is not in the pot; that of a disqualified entry is."


def _for_example(rules: Rules, pool: Pool) -> str:
    fees = dict.fromkeys(fee for fee in (pool.entry_fee_cents, rules.buy_back_fee_cents) if fee)
    parts = [
        f"{format_amount(fee * rules.house_fee_bp // 10_000, pool.currency)} of {format_amount(fee, pool.currency)}"
        for fee in fees
    ]
    return f" ({', '.join(parts)})" if parts else ""


def _ranking(rules: Rules) -> str:
    order = ["Winners rank first"]
    if has_tiebreak(rules):
        order.append("then whoever lost the tiebreak, by margin")
    order.append("then the others by the round that eliminated them, the later the better")
    said = "; ".join(order)
    if rules.all_out != AllOut.REVIVE:
        said += ", where those who had not submitted a pick in a round that left nobody in come after those who had"
    return f"{said}."
