"""Competitions, games, feeds, pools and rules in the back office. Importing it registers every page."""

from pools.admin import amendments, competitions, feeds, games, home, menu, pools, rules

__all__ = ["amendments", "competitions", "feeds", "games", "home", "menu", "pools", "rules"]
