"""What an application keeps in a cache without a tenant: one file for each way to see it."""
