"""Saved lists: what is kept, how members are followed, and why they come and go."""
