"""Competitions, games, pools and rules in the back office. Importing it registers every page."""

from pools.admin import amendments, competitions, games, pools, rules

__all__ = ["amendments", "competitions", "games", "pools", "rules"]
