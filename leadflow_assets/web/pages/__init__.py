"""One module for each page, each with a ``router``."""

from leadflow_assets.web.pages import (
    changes,
    leads,
    list_import,
    list_watches,
    lists,
    one_list,
    parcel,
    parcel_actions,
    review,
    search,
)

# Of two addresses that both fit, the first one here is taken: /lists/import is no list.
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
    review.router,
)
