"""Clients for callers, generated from the schema by standard generators: `python3 manage.py clients`.

What is generated is nowhere committed. Written by hand is only what no generator knows, in `docs/clients`: when to try
again, whose token is sent, what an error is. The generators and their versions are locked in `clients.txt`, in an
environment of their own, because their pins are not ours.
"""
