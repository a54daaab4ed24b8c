"""Composition roots: what each server process is made of, handed together.

Imported by their names (`config.wsgi`, `config.asgi`) once Django is set up: what they import has models.
"""
