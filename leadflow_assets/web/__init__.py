"""The page: what the command line knows, for people who do not use terminals.

Pages are rendered here and hold their whole state in their address, so they can be bookmarked, sent, printed
and opened again after the server has been restarted; scripts add what HTML cannot do: the map and the grid.
"""
