"""What hangs on pools and ends with them, in numbers: told on the confirm page of whatever ends a pool.

Pools know nothing of requests or money. The apps that do say so when their admin is imported:

    tells_ends(ending_requests)
"""

from collections.abc import Callable, Mapping, Sequence

from pools.models import Pool

# Asked about all pools at once; answers sentences by the number of the pool. One left out has nothing of the kind.
Teller = Callable[[Sequence[Pool]], Mapping[int, list[str]]]

_tellers: list[Teller] = []


def tells_ends(teller: Teller) -> None:
    """Ask this one, too."""
    _tellers.append(teller)


def what_ends(pools: Sequence[Pool]) -> list[str]:
    """A sentence for each kind of thing, pool by pool; a constant number of queries."""
    told = [teller(pools) for teller in _tellers]
    return [f"{pool.name}: {sentence}" for pool in pools for one in told for sentence in one.get(pool.pk, ())]
