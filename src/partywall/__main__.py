"""``python -m partywall`` is the command `partywall`."""

from partywall.cli import main

main()
