"""What hangs on pools and changes with them, in numbers: told on the confirm page of whatever ends or closes a pool.

Pools know nothing of requests or money. The apps that do say so when their admin is imported:

    tells_ends(ending_requests)
"""

from collections.abc import Callable, Mapping, Sequence

from pools.models import Pool

# Asked about all pools at once; answers sentences by the number of the pool. One left out has nothing of the kind.
Teller = Callable[[Sequence[Pool]], Mapping[int, list[str]]]

_of_ends: list[Teller] = []
_of_closings: list[Teller] = []


def tells_ends(teller: Teller) -> None:
    """Ask this one, too, what ends with a pool."""
    _of_ends.append(teller)


def tells_closings(teller: Teller) -> None:
    """Ask this one, too, what becomes of whom when registration closes."""
    _of_closings.append(teller)


def what_ends(pools: Sequence[Pool]) -> list[str]:
    """A sentence for each kind of thing, pool by pool; a constant number of queries."""
    return _told(pools, _of_ends)


def what_closes(pools: Sequence[Pool]) -> list[str]:
    """The same, where registration closes."""
    return _told(pools, _of_closings)


def _told(pools: Sequence[Pool], tellers: Sequence[Teller]) -> list[str]:
    told = [teller(pools) for teller in tellers]
    return [f"{pool.name}: {sentence}" for pool in pools for one in told for sentence in one.get(pool.pk, ())]
