"""Edges -> those that show a service which was not told of their device yet. One pass; most turns find nothing."""

import numpy as np

from agent.devices.records import EdgeGate, Rows
from agent.jit import Flags, Slots, brief

SERVICES_MAX = 256  # services that a pack may know; a place for each device and direction
G_ANSWERED = int(EdgeGate.ANSWERED)
TCP, UDP = 6, 17
TCP_ROW, UDP_ROW, OTHER_ROW = 0, 1, 2  # of `ports`


@brief
def fresh_services(edges: Rows, ports: Flags, applications: Flags, told: Flags, fresh: Slots) -> int:
    """Answered edges whose service was not told of their device in this direction: their places in `fresh[0]`.

    `ports` (transport, port) and `applications` give the service's number, 0 for none; the port's comes first. `told`
    has SERVICES_MAX bits for each device and direction; one is set for each that is found, which one is in `fresh[1]`.
    Returns how many are found.
    """
    n = 0
    for i in range(len(edges)):
        edge = edges[i]
        if edge["gates"] & G_ANSWERED == 0:
            continue
        row = TCP_ROW if edge["protocol"] == TCP else UDP_ROW if edge["protocol"] == UDP else OTHER_ROW
        service = int(ports[row, edge["port"]])
        if service == 0:
            service = int(applications[edge["application"]])
        flag = (np.int64(edge["device"]) * 2 + (edge["direction"] & 1)) * SERVICES_MAX + service
        at, bit = flag >> 3, 1 << (flag & 7)
        if service == 0 or at >= len(told) or told[at] & bit or n >= fresh.shape[1]:
            continue
        told[at] |= bit
        fresh[0, n], fresh[1, n] = i, flag
        n += 1
    return n
