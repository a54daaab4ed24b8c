"""As in English: the same day is written the same in every language."""
