"""The uplink's counters under the names that its reports carry."""

from dataclasses import asdict, dataclass, field
from typing import Any

NAMES_MAX, NAME_OCTETS = 64, 40  # wire.presence.UPLINK


@dataclass(slots=True)
class LinkCounts:
    """What the link did, and what came in over it and was not taken, by reason."""

    links: int = 0
    link_failures: int = 0
    acks: int = 0
    refused: dict[str, int] = field(default_factory=dict)

    def refuse(self, what: str, reason: str) -> None:
        """Count one."""
        key = f"{what}-{reason}"
        self.refused[key] = self.refused.get(key, 0) + 1


def merged(groups: dict[str, Any]) -> dict[str, int]:
    """One flat table: each group's integers under `group-name`; groups are mappings or dataclasses, one level deep."""
    flat: dict[str, int] = {}
    for group, values in groups.items():
        for name, value in (values if isinstance(values, dict) else asdict(values)).items():
            inner = value.items() if isinstance(value, dict) else [("", value)]
            for reason, number in inner:
                key = "-".join(part for part in (group, name, reason) if part).replace("_", "-")[:NAME_OCTETS]
                if isinstance(number, int):
                    flat[key] = flat.get(key, 0) + number
    return dict(list(flat.items())[:NAMES_MAX])
