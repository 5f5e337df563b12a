"""Facts of a database as frozen values, and the readers that fetch them."""
