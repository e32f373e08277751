"""How a device stands, as its card may say it: aspects of a closed list, words of the packs and of the readers.

A word that neither has is left out: a posture is no place for a name.
"""

from collections.abc import Iterator

from agent.devices.records import OLD_SERVICES, SMB_DIALECTS, TLS_VERSIONS, Posture
from agent.summaries.privacy import Pseudonyms

BY_PRODUCT = "product"  # Advisory.match
# Aspects whose words are the readers' own; those of all others are looked up among the packs' words.
LISTED: dict[str, frozenset[str]] = {
    "tls-answers": frozenset(TLS_VERSIONS),
    "tls-asks": frozenset(TLS_VERSIONS),
    "smb": frozenset(SMB_DIALECTS),
    "service": frozenset(OLD_SERVICES.values()),
}


def stance(posture: Posture, pseudonyms: Pseudonyms) -> list[tuple[str, str]]:
    """(aspect, word), what weighs most first; advisories come last, the newest first."""
    return [
        (aspect, word)
        for aspect, word in _aspects(posture)
        if (word in LISTED[aspect] if aspect in LISTED else pseudonyms.is_word(word))
    ]


def _aspects(posture: Posture) -> Iterator[tuple[str, str]]:
    if posture.ended:  # else the card's own place for the system says as much
        yield "system", posture.system
        yield "ended", posture.ended
    yield from (("service", name) for name in posture.services)
    yield from (("log-in", name) for name in posture.log_ins)
    yield from (("default-login", login.source) for login in posture.default_logins)
    yield from (("smb", dialect) for dialect in posture.smb)
    yield from (("tls-answers", version) for version in posture.tls_answers)
    yield from (("tls-asks", version) for version in posture.tls_asks)
    for advisory in posture.advisories:
        yield ("advisory" if advisory.match == BY_PRODUCT else "advisory-maker"), advisory.id
