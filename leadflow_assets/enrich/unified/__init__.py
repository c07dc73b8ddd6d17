"""One property out of many sources: which property a record is, and which source is believed for what."""
