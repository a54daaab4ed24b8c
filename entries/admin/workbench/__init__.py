"""The workbench: the queue of requests with what is known of each player, decided by mouse or by keyboard.

queue   which requests are asked about, page by page
rows    what is shown of each
pages   the queue, the page that asks before, and where a decision leads
"""

from entries.admin.workbench.pages import WithWorkbench, as_one_piece

__all__ = ["WithWorkbench", "as_one_piece"]
