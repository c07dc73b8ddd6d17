"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import (
    batch_new,
    batches,
    changes,
    health,
    leads,
    list_import,
    list_watches,
    lists,
    one_list,
    parcel,
    parcel_actions,
    review,
    search,
    spend,
)

# Of two addresses that fit, the first one here is taken: /lists/import is no list, /batches/new no batch.
PAGES = (
    search.router,
    parcel.router,
    parcel_actions.router,
    lists.router,
    list_import.router,
    one_list.router,
    list_watches.router,
    leads.router,
    changes.router,
    batch_new.router,
    batches.router,
    spend.router,
    review.router,
    health.router,
)
