"""What the runtime costs, in pairs: the same work with partywall, without, and with others."""
