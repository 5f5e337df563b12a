"""Sessions: the thin shells, sync and async, that execute the plans of `partywall.isolation`."""
