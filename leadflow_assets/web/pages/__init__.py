"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import batch_new, batches, health, search, spend

# /batches/new comes before /batches/{job_id}.
PAGES = (search.router, batch_new.router, batches.router, spend.router, health.router)
