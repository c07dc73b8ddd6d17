"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import search

PAGES = (search.router,)
