"""Letters: mails that may be turned off. Who wants which, when, how they are sent, and what became of them."""
