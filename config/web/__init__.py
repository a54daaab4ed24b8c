"""What stands before every answer of the web process: how many are worked on at once, and the headers of each page."""
