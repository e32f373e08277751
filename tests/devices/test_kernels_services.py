"""Services that are news of a device: the kernel against a dictionary, turn after turn."""

from random import Random

import numpy as np

from agent.devices.kernels_services import OTHER_ROW, SERVICES_MAX, TCP_ROW, UDP_ROW, fresh_services
from agent.devices.records import EDGE, EdgeGate

SLOTS = 5
ROWS = {6: TCP_ROW, 17: UDP_ROW}


def tables(random: Random) -> tuple[np.ndarray, np.ndarray]:
    """Numbers of some services by port, and of some by what is spoken."""
    ports, applications = np.zeros((3, 1 << 16), np.uint8), np.zeros(256, np.uint8)
    for number in range(1, 40):
        ports[random.randrange(2), random.randrange(30)] = number
    applications[[1, 2, 3]] = 200, 201, 255
    return ports, applications


def random_edges(random: Random, count: int) -> np.ndarray:
    edges = np.zeros(count, EDGE)
    for edge in edges:
        edge["device"], edge["direction"] = random.randrange(SLOTS + 1), random.randrange(2)
        edge["protocol"], edge["port"] = random.choice([6, 17, 1]), random.randrange(32)
        edge["application"], edge["gates"] = random.randrange(5), random.choice([0, EdgeGate.ANSWERED, 0xFF])
    return edges


def test_each_service_is_news_once_for_a_device_and_direction() -> None:
    random = Random(20_261_128)
    ports, applications = tables(random)
    told, known = np.zeros(SLOTS * 2 * SERVICES_MAX // 8, np.uint8), set[tuple[int, int, int]]()
    for _ in range(20):
        edges = random_edges(random, random.choice([0, 1, 60]))
        fresh = np.zeros((2, edges.size), np.uint32)
        expected = []
        for place, edge in enumerate(edges):
            row = ROWS.get(int(edge["protocol"]), OTHER_ROW)
            service = int(ports[row, edge["port"]]) or int(applications[edge["application"]])
            one = (int(edge["device"]), int(edge["direction"]), service)
            if edge["gates"] & EdgeGate.ANSWERED and service and edge["device"] < SLOTS and one not in known:
                known.add(one)
                expected.append((place, (one[0] * 2 + one[1]) * SERVICES_MAX + service))
        count = fresh_services(edges, ports, applications, told, fresh)
        assert list(zip(*fresh[:, :count].tolist(), strict=True)) == expected
    assert np.unpackbits(told).sum() == len(known) > 50


def test_any_octets_are_taken() -> None:
    random = Random(5)
    ports, applications = tables(random)
    ports[:], applications[:] = 255, 255
    edges = np.frombuffer(random.randbytes(EDGE.itemsize * 2000), EDGE).copy()
    told, fresh = np.zeros(SLOTS * 2 * SERVICES_MAX // 8, np.uint8), np.zeros((2, edges.size), np.uint32)
    edges["device"][::2] = np.arange(1000) % SLOTS
    count = fresh_services(edges, ports, applications, told, fresh)
    assert set(fresh[1, :count].tolist()) == {(slot * 2 + way) * 256 + 255 for slot in range(SLOTS) for way in (0, 1)}
