"""When a fan of first contacts is a scan, and which ports say what is tried: numbers that kernels and judge share.

Threshold random walk (Jung, Paxson, Berger, Balakrishnan: Fast Portscan Detection Using Sequential Hypothesis
Testing, IEEE S&P 2004): each first contact of a source moves a log likelihood ratio, up when it failed, down when it
was answered. The paper's theta values are kept (benign first contacts succeed four times in five, a scanner's one time
in five); its false-positive bound of one in a hundred is not: a ward allows one false page a week (docs/findings.md).
"""

from math import log
from typing import Final

from agent.packets.records import Application

FAN_THETA0: Final = 0.8  # share of first contacts that succeed for a benign device (Jung 2004, section 4)
FAN_THETA1: Final = 0.2  # share that succeeds for a scanner
FAN_ALPHA: Final = 1e-6  # bound on calling a benign device a scanner, for each episode
FAN_BETA: Final = 0.99  # probability of naming a scanner

FAN_STEP_ANSWERED: Final = log(FAN_THETA1 / FAN_THETA0)  # added for each answered first contact: -1.386
FAN_STEP_FAILED: Final = log((1.0 - FAN_THETA1) / (1.0 - FAN_THETA0))  # for each failed one: +1.386
FAN_SCORE_UPPER: Final = log(FAN_BETA / FAN_ALPHA)  # a scan at or above: 13.8, ten failures more than answers
FAN_SCORE_LOWER: Final = log((1.0 - FAN_BETA) / (1.0 - FAN_ALPHA))  # floor of the score: -4.6, so that a long good
# history cannot buy a later scan more than three failures

FAN_HOSTS_MIN: Final = 12  # distinct hosts on one service: above the servers one client may know while all are down
FAN_PORTS_MIN: Final = 20  # distinct ports of one host: a domain controller that is down is asked on about eleven
FAN_ARP_MIN: Final = 64  # distinct ARP targets: above the beds and servers one station asks for when it starts
FAN_ARP_GATEWAY_MIN: Final = 1000  # a router asks for every address that anybody outside asks it for: a /22 has 1,022
FAN_WINDOW_S: Final = 300  # a fan without a new first contact for so long starts over

# A traceroute sends datagrams to ports nobody serves and wants them refused (van Jacobson's base 33434, one port a
# probe): first contacts to these UDP ports are no evidence of a scan.
FAN_TRACEROUTE_FIRST: Final = 33434
FAN_TRACEROUTE_LAST: Final = 33625  # 64 hops x 3 probes

SMB_PORTS: Final = frozenset({139, 445})  # file sharing over NetBIOS sessions and directly: worms try both
SMB_SPREAD_FAILED_MIN: Final = 10  # failed first contacts to one of them that make a sweep the WannaCry shape
TELNET_PORTS: Final = frozenset({23, 2323})  # Mirai's two ports (Antonakakis et al., USENIX Security 2017)

# TCP ports by which a device is steered, by their maker's words: TeamViewer and AnyDesk (their help pages), RDP and VNC
# (IANA).
TOOLS: Final = {
    5938: "TeamViewer", 6568: "AnyDesk", 7070: "AnyDesk", 3389: "RDP", **dict.fromkeys(range(5900, 5904), "VNC"),
}  # fmt: skip
TOOLS_BY_CONTENT: Final = {int(Application.RDP): "RDP", int(Application.VNC): "VNC"}
