"""What the collector says to an agent: acknowledgements and the bell, believed only when it signed them for us."""

from agent.errors import Refused
from agent.signing.envelope import open_envelope, require_site
from agent.signing.roster import Trust
from agent.wire import body
from agent.wire.delivery import Ack, Epoch
from agent.wire.types import MessageType


def open_ack(payload: bytes, trust: Trust, agent: str, site: str) -> Ack:
    """A verified acknowledgement for this agent; Refused otherwise, with the reason to count."""
    opened = open_envelope(payload, trust, expect=(MessageType.ACK,))
    require_site(opened, site)
    _, content = body.decode(MessageType.ACK, opened.body)
    ack = Ack.from_content(content)
    if (ack.agent, ack.site) != (agent, site):
        raise Refused(f"an acknowledgement for {ack.agent} at {ack.site}", reason="wrong-agent")
    return ack


def open_epoch(payload: bytes, trust: Trust, site: str) -> Epoch:
    """A verified bell of this site; Refused otherwise."""
    opened = open_envelope(payload, trust, expect=(MessageType.EPOCH,))
    require_site(opened, site)
    _, content = body.decode(MessageType.EPOCH, opened.body)
    epoch = Epoch.from_content(content)
    if epoch.site != site:
        raise Refused(f"a bell of {epoch.site}", reason="wrong-site")
    return epoch
