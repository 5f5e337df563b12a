"""Databases whose ground truth is known, and the runner that executes every truth."""
