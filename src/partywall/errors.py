"""Every error that partywall raises, one hierarchy.

::

    PartywallError
    ├── ConfigurationError    what was asked for can't be done as asked (exit code 2)
    │   └── ModelError        no tenants could be made out, declared or detected
    ├── ServerError           a disposable server could not be started or stopped
    └── TargetError           the surveyed database refused what a survey needs
        └── CopyError         the disposable copy could not be made as the target is
"""

from __future__ import annotations


class PartywallError(Exception):
    """The root: catch it to catch all that partywall raises on purpose."""


class ConfigurationError(PartywallError):
    """A configuration, an argument or an environment that can't work; the message says the mend."""


class ModelError(ConfigurationError):
    """Neither configuration nor catalog says who the tenants are."""


class ServerError(PartywallError):
    """A disposable server could not be started or stopped."""


class TargetError(PartywallError):
    """The surveyed database refused what a survey needs."""


class CopyError(TargetError):
    """The disposable copy could not be made as the target is."""
