"""Court parties matched to properties: by the owner's name, or by the address or parcel that a case names."""
