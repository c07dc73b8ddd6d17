"""Court cases: what one is, who is in it, and what must never be kept of it. Pure rules, no I/O."""
