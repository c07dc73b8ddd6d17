"""Paying for facts: vendors' clients wired to the ledger, the cache and the archive."""
