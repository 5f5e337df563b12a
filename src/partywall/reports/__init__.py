"""What a survey says, for people (text) and for programs (JSON)."""
