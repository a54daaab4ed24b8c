"""Competitions, games, pools and rules in the back office. Importing it registers every page."""

from pools.admin import competitions, games, pools

__all__ = ["competitions", "games", "pools"]
