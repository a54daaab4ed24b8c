"""The round room: a round of a pool from before its lock to its last result, and the rounds that need somebody now.

pages    the list of rounds, the room, and the part of it that is looked at again and again
results  results by hand, typed twice
acts     reminding those without a pick, behind a page that says whom it reaches
"""

from entries.admin.rooms.pages import WithRooms

__all__ = ["WithRooms"]
