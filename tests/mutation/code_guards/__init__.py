"""Guards that no constraint holds: locks, keys, conditions. Each is a change of the code that takes one of them out.

`was` stands once in the file, or the mutation is out of date; `becomes` is what is left without the guard. The tests
are those that stand for it: at least one of them fails then.
"""

from tests.mutation.code_guards.conditions import CONDITIONS
from tests.mutation.code_guards.finance import FINANCE
from tests.mutation.code_guards.keys import KEYS
from tests.mutation.code_guards.locks import LOCKS
from tests.mutation.code_guards.mutation import ROOT, Mutation
from tests.mutation.code_guards.sign_ins import SIGN_INS

MUTATIONS = [*LOCKS, *KEYS, *CONDITIONS, *FINANCE, *SIGN_INS]

__all__ = ["CONDITIONS", "FINANCE", "KEYS", "LOCKS", "MUTATIONS", "ROOT", "SIGN_INS", "Mutation"]
