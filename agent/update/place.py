"""Where this code lies: in a release of an appliance, or in a checkout. Knows no key, so the sensor may ask too."""

from pathlib import Path

import agent

MANIFEST_NAME = "manifest.sha256"


def own_release(package: Path | None = None) -> Path | None:
    """The folder of the release that a package `agent` (ours, if none is named) lies in; None for a checkout."""
    release = (package or Path(agent.__file__).parent).resolve().parent
    return release if release.parent.name == "releases" and (release / MANIFEST_NAME).is_file() else None


def release_name() -> str:
    """Of the release whose code this is; empty for a checkout."""
    own = own_release()
    return own.name if own else ""
