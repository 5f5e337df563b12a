"""Frameworks that meet the walls: one module or package each, an extra each."""
