"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import parcel, parcel_actions, review, search

PAGES = (search.router, parcel.router, parcel_actions.router, review.router)
