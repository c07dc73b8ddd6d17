"""Who may see the page, from where, and what a browser may do with it."""
