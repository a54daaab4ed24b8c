"""Competitions and pools in GraphQL. Public."""
