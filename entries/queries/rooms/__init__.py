"""What the round room shows: a round as one pool plays it, its entries page by page, and the rounds that need somebody.

Before a pick is revealed nothing here selects what was picked: entries are told by how many picks they have made, and
come in the order of their own numbers.
"""
