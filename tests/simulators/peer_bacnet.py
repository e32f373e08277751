"""A BACnet/IP device or somebody who asks for devices, with the library bacpypes3, as a program of its own.

    python -m tests.simulators.peer_bacnet device|asker ADDRESS PEER

The device answers until it is ended. The asker broadcasts Who-Is until one answers, reads its name, and ends.
"""

import asyncio
import sys
import warnings

from bacpypes3.app import Application
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

NAME = "QUILLFEATHER-ROOM-7"  # a test looks for it in what the sensor says
INSTANCE, VENDOR = 441207, 15
ASK_S, ASKS_MAX = 1.0, 30


def _application(address: str, number: int) -> Application:
    device = DeviceObject(objectIdentifier=("device", number), objectName=NAME, vendorIdentifier=VENDOR)
    port = NetworkPortObject(f"{address}/24", objectIdentifier=("network-port", 1), objectName="port")
    return Application.from_object_list([device, port])


async def device(address: str, _: str) -> None:
    """Answer."""
    held = _application(address, INSTANCE)
    await asyncio.Event().wait()
    held.close()


async def asker(address: str, peer: str) -> None:
    """Ask who is there, then what it is called."""
    held = _application(address, INSTANCE + 1)
    for _ in range(ASKS_MAX):
        if await held.who_is(timeout=ASK_S):
            break
    else:
        raise AssertionError("nobody answered Who-Is")
    name = await held.read_property(Address(peer), ObjectIdentifier(f"device,{INSTANCE}"), "object-name")
    assert name == NAME, name
    held.close()


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    asyncio.run({"device": device, "asker": asker}[sys.argv[1]](sys.argv[2], sys.argv[3]))
