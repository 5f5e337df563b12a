"""GraphQL: one path, and behind it as many operations as the schema has fields."""
