"""Small applications whose truth is known: each has one fault, or one temptation."""
