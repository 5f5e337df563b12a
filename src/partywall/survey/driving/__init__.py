"""The application's API as a way to its other layers: its tenants ask, and what happens is seen."""
