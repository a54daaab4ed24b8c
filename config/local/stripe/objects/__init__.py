"""Stripe's objects, one file for each kind of them: how they are made, changed and announced."""
