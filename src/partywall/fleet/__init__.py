"""Work over databases that are in use: every step can run again, and says what it does."""
