"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import (
    batch_new,
    batches,
    health,
    parcel,
    parcel_actions,
    review,
    search,
    spend,
)

# /batches/new comes before /batches/{job_id}.
PAGES = (
    search.router,
    parcel.router,
    parcel_actions.router,
    review.router,
    batch_new.router,
    batches.router,
    spend.router,
    health.router,
)
