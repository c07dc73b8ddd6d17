"""Pure rules of the field: no I/O, no clock, no settings. Everything here is tested by itself."""
