"""partywall builds the walls between the tenants of one application, and proves that they hold."""

__version__ = "0.1.0"
