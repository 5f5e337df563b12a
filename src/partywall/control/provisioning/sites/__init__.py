"""Where tenants' places are made and removed: one module for each isolation model."""
