"""The survey of what stays open: whether a socket or a stream outlives the right to hear."""
