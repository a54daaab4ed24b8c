"""Guards, taken away one by one: without each of them something that must not happen happens, and a test sees it.

Guards of the database are found in its catalog; the mutations of `code_guards` name those of the code.
"""
