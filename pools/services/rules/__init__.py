"""The rules of a pool: which values each switch has, which contradict, what they mean in words, and who changes them.

`switches` reads values, `contradictions` refuses what cannot be meant and warns of what will surprise, `words` says
the rules as players read them, `eliminations` says why one entry is out, `versions` revises a draft's rules, and
`amendments` changes those of a pool in play, with two names.
"""

from pools.services.rules.amendments import (
    confirm_amendment,
    preview_changes,
    propose_amendment,
    withdraw_amendment,
)
from pools.services.rules.cautions import cautions
from pools.services.rules.contradictions import Contest, check_rules, contest_of
from pools.services.rules.eliminations import elimination_sentence
from pools.services.rules.switches import SWITCHES, BadValue, Switch, shown
from pools.services.rules.versions import Change, Version, revise_rules, switches_of, versions_of
from pools.services.rules.words import changed_sentences, sentences

__all__ = [
    "SWITCHES",
    "BadValue",
    "Change",
    "Contest",
    "Switch",
    "Version",
    "cautions",
    "changed_sentences",
    "check_rules",
    "confirm_amendment",
    "contest_of",
    "elimination_sentence",
    "preview_changes",
    "propose_amendment",
    "revise_rules",
    "sentences",
    "shown",
    "switches_of",
    "versions_of",
    "withdraw_amendment",
]
