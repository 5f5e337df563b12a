"""The interpreter of the peers: an environment of their own, kept for the next time."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def interpreter() -> str:
    """The Python of the environment that `requirements.txt` describes; made where there is none.

    pip finds the packages where it is configured to find them.
    """
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    described = sys.version.encode() + REQUIREMENTS.read_bytes()
    folder = caches / "partywall-benchmarks" / hashlib.sha256(described).hexdigest()[:12]
    python = folder / "bin" / "python"
    done = folder / "complete"
    if not done.exists():
        print(f"installing the peers in {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)
        install = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r"]
        subprocess.run([str(python), *install, str(REQUIREMENTS)], check=True)
        done.touch()
    return str(python)
