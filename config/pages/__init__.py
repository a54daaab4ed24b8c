"""Pages that many look at and few change: kept as they are sent, and given up the moment anything of them changes.

`changes` counts what changes, in the database, with the change itself; `versions` reads the count; `keeping` keeps
pages by it, in this process and in Redis; `registry` knows which pages there are. `config.web.kept` answers with them
before Django is entered, and views do so for callers who are signed in. `docs/caching.md` tells why that is exact.
"""
