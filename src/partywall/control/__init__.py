"""The control plane: tenants, their members, and how they come and go."""
