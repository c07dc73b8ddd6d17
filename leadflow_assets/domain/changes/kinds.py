"""The kinds of events, and the words that qualify them."""

from __future__ import annotations

from typing import Final

# Kind and what it means. One happening is one event: what goes with it stands in its ``includes``.
KINDS: Final = {
    "sale": "A newer sale is recorded",
    "sale_corrected": "The recorded last sale was changed, but not to a newer one",
    "owner_changed": "Other owners, without a newer sale",
    "mailing_moved": "The tax bill goes to another address",
    "became_absentee": "The owner stays and now gets mail elsewhere",
    "became_owner_occupied": "The owner stays and now gets mail at the property",
    "built": "A building, or a new one in place of the old",
    "demolished": "The building is gone",
    "renovated": "The building has grown",
    "use_changed": "Another use",
    "value_moved": "The assessed value moved other than the town's",
    "split": "One parcel became several",
    "merged": "Several parcels became one",
    "vanished": "The property is not in the release any more",
    "appeared": "A property that was not there before",
    "renumbered": "The same property under another id",
    "case_matched": "A court case names the owner",
    "score_crossed": "The distress score crossed a threshold",
}
# Events of saved lists live with the lists, not in mart/property_changes.
LIST_KINDS: Final = {
    "list_gained": "The property came to the list",
    "list_lost": "The property left the list",
}
# Said by one source only of themselves; nobody is alerted to them unless they are asked for.
QUIET: Final = frozenset({"renumbered", "sale_corrected"})

SALE_QUALITIES: Final = (
    "market",  # a price of 1,000 dollars or more, for this property alone
    "nominal",  # a price below 1,000 dollars
    "bulk",  # one price for three or more records
    "no_price",  # none is recorded
)
OWNER_CHANGES: Final = (
    "new_owner",
    "within_family",  # nobody stays, and a surname does
    "partly",  # one owner stays, another came and a third went
    "co_owner_added",
    "co_owner_removed",
    "into_trust",  # a trust of the same people
    "out_of_trust",
    "estate",  # an owner died
    "from_estate",
    "life_estate",  # the same people keep or gave a life estate
    "tax_title",  # the owner's text now says that the town holds the tax title
)
SOURCES: Final = ("MassGIS", "courts", "score")
THRESHOLD_DIRECTIONS: Final = ("up", "down")
