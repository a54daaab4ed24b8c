"""How fast a round settles: against the best SQL by hand, against a loop, and with size and number of pools."""

from config.local.benches.bigpools import Plan
from config.local.benches.runs import BY_HAND, BY_LOOP, OURS, Runs, median_megabytes, median_seconds
from config.local.benches.scale import Pair, Scale

# What a loop is measured with; a million would take it half an hour.
LOOP_ENTRIES = 10_000


def million(scale: Scale) -> Plan:
    """One pool, in its first round."""
    return Plan("million", entries=scale.entries(1_000_000))


def small(scale: Scale) -> Plan:
    """The same with a hundredth of the entries."""
    return Plan("small", entries=scale.entries(LOOP_ENTRIES))


def against_hand(runs: Runs, scale: Scale) -> Pair:
    """Seconds for a million entries: ours, by hand."""
    ours, by_hand = runs.of(million(scale), OURS, BY_HAND)
    return Pair(median_seconds(ours), median_seconds(by_hand))


def against_loop(runs: Runs, scale: Scale) -> Pair:
    """Seconds for a million entries: ours, and the loop's for ten thousand times a hundred."""
    (ours,) = runs.of(million(scale), OURS)
    (loop,) = runs.of(small(scale), BY_LOOP)
    return Pair(median_seconds(ours), median_seconds(loop) * million(scale).entries / small(scale).entries)


def growth(runs: Runs, scale: Scale) -> Pair:
    """Microseconds per entry: of a million, of ten thousand."""
    large, little = _per_entry(runs, million(scale)), _per_entry(runs, small(scale))
    return Pair(large, little)


def memory(runs: Runs, scale: Scale) -> Pair:
    """The most megabytes that this process held while the database settled a million entries, and ten thousand."""
    ((large,), (little,)) = runs.of(million(scale), OURS), runs.of(small(scale), OURS)
    return Pair(median_megabytes(large), median_megabytes(little))


def many_pools(runs: Runs, scale: Scale) -> Pair:
    """Seconds for two thousand pools of one competition, and for one pool with as many entries."""
    pools = Plan("pools", entries=million(scale).entries, pools=max(2, scale(2_000)))
    ((many,), (one,)) = runs.of(pools, OURS), runs.of(million(scale), OURS)
    return Pair(median_seconds(many), median_seconds(one))


def in_season(runs: Runs, scale: Scale) -> Pair:
    """Seconds for the sixth round of a pool, where the best SQL looks at that round alone: ours, by hand."""
    ours, by_hand = runs.of(Plan("season", entries=scale.entries(400_000), earlier=5), OURS, BY_HAND)
    return Pair(median_seconds(ours), median_seconds(by_hand))


def _per_entry(runs: Runs, plan: Plan) -> float:
    (ours,) = runs.of(plan, OURS)
    return median_seconds(ours) * 1_000_000 / plan.entries
