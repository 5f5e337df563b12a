"""The contenders: one unit of work (begin, one select by key, commit), in as many ways."""
