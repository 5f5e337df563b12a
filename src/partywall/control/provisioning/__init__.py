"""Provisioning: how a tenant's place comes to be, and goes, durably."""
