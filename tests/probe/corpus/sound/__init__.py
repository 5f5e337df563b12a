"""Sound applications that invite a false alarm each: nothing must be found."""
