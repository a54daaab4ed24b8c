"""Whether the money agrees: what the provider, the bank and the books say, compared as sets, and what is done then."""
