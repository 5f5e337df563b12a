"""What mends a breach without a person: SQL, derived from the facts of the scene alone.

Each function answers with the statements in their order, () where facts don't say what is right.
None of them opens anything: a grant stands only for what the same role holds already by a way that
the same repair takes from it.
"""
