"""Loopback servers that answer like the real vendors, faults included."""
