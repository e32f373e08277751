"""Which ATT&CK techniques a finding speaks of: data with its version, kept beside the contracts."""

import re
from collections.abc import Mapping
from typing import Final, NamedTuple

from agent.errors import ConfigError
from agent.kept_toml import Parse, parse_toml

_TECHNIQUE: Final = re.compile(r"T\d{4}(\.\d{3})?")
_WHERE: Final = "attack.toml"
TECHNIQUES_MAX: Final = 8  # of one finding


class AttackMap(NamedTuple):
    """Techniques by finding id, and the versions of the matrices they were taken from."""

    version: str
    techniques: Mapping[str, tuple[str, ...]]

    def of(self, finding_id: str) -> tuple[str, ...]:
        """Technique ids of a finding; none when nothing is mapped (findings about the tap itself)."""
        return self.techniques.get(finding_id, ())


def parse_attack(text: str, parse: Parse = parse_toml) -> AttackMap:
    """Read `attack.toml`: `version`, and a table `[techniques]` of id -> list. Raises ConfigError."""
    try:
        data = parse(text)
    except (ValueError, RecursionError) as error:
        raise ConfigError(f"is not TOML: {error}", where=_WHERE) from error
    version, techniques = data.get("version"), data.get("techniques")
    if set(data) != {"version", "techniques"} or not isinstance(version, str) or not isinstance(techniques, dict):
        raise ConfigError("needs exactly `version` (a string) and `[techniques]`", where=_WHERE)
    for name, ids in techniques.items():
        good = isinstance(ids, list) and 0 < len(ids) <= TECHNIQUES_MAX
        if not good or not all(isinstance(i, str) and _TECHNIQUE.fullmatch(i) for i in ids):
            raise ConfigError("is not a list of technique ids such as T1046", where=f"{_WHERE}: techniques.{name}")
    return AttackMap(version, {name: tuple(ids) for name, ids in techniques.items()})
