"""What changes row by row and is not lake data: a SQL database, SQLite by default or PostgreSQL."""
