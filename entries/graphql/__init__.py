"""Requests, entries, picks and standings in GraphQL."""
