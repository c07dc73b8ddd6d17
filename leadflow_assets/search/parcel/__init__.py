"""The parcel report: everything known of one parcel, with sources and what is not known."""
