"""The calls that are answered before Django is entered."""

from config.api.shortcuts import Shortcut
from entries.api.direct_picks import SavePick

SHORTCUTS: tuple[Shortcut, ...] = (SavePick(),)
