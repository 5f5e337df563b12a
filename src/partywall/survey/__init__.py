"""The verifier: plans attacks as values, executes them with controls, and gives verdicts."""
