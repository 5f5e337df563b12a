"""Encryption with a data key for each tenant: marked columns, bytes, streams.

`Keyring` is the way in, `Encrypted` and `BlindIndex` mark columns; the format of what is sealed is
in docs/explanation/encryption.md. Needs `pip install 'partywall[control,encryption]'`.
"""

from importlib.util import find_spec

from partywall.errors import ConfigurationError

if find_spec("cryptography") is None:
    raise ConfigurationError(
        "encryption needs the package cryptography: pip install 'partywall[control,encryption]'"
    )

from partywall.encryption.columns import BlindIndex, Encrypted
from partywall.encryption.keyring import Keyring
from partywall.encryption.kms import AwsKms, Kms, KmsKeys
from partywall.encryption.providers import EnvironmentKeys, FileKeys, KeyProvider
from partywall.encryption.reseal import Progress, reseal
from partywall.encryption.sealing import Sealing

__all__ = [
    "AwsKms",
    "BlindIndex",
    "Encrypted",
    "EnvironmentKeys",
    "FileKeys",
    "KeyProvider",
    "Keyring",
    "Kms",
    "KmsKeys",
    "Progress",
    "Sealing",
    "reseal",
]
