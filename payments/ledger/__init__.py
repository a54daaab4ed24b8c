"""The ledger: every cent, twice. It knows pools and players, and nothing of payments: they tell it what moved.

accounts   which accounts there are, and what each one means
models     the four tables, and the guards that PostgreSQL holds
rules      one function for each event: which lines it has
posting    `post()`: one entry with its lines, in the caller's transaction, once
balances   what stands where, as of any entry of the journal
"""
