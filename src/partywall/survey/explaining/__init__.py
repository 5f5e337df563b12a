"""What each finding is about: its page, read from the module that finds it."""
