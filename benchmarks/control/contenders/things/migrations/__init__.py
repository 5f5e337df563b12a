"""The application's one migration."""
