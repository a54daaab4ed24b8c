"""What stands before every answer of the web process: how many are worked on at once, and the headers of each page.

And what is answered there, before Django is entered: refusals, kept pages, plain picks (`docs/performance.md`).
"""
