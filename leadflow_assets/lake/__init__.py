"""What a table is and how it is replaced: schemas, storage, publishing, and the DuckDB catalog."""
