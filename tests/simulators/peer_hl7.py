"""A receiver or a sender of HL7 v2 over MLLP, with the library hl7, as a program of its own.

    python -m tests.simulators.peer_hl7 receiver|sender ADDRESS PORT

The receiver acknowledges until it is ended; the sender sends one observation of a patient and ends with its answer.
"""

import asyncio
import sys

import hl7
from hl7.mllp import HL7StreamReader, HL7StreamWriter, open_hl7_connection, start_hl7_server

PATIENT = ("QUILLFEATHER", "ORSOLYA", "WT7740193V")  # a test looks for them in what the sensor says
OBSERVATION = "\r".join(
    (
        r"MSH|^~\&|ANALYSER2|WARD3|LISMAIN|HOSP|20261128030000||ORU^R01|1|P|2.5",
        f"PID|1||{PATIENT[2]}||{PATIENT[0]}^{PATIENT[1]}",
        "OBR|1|||GLU",
        "OBX|1|NM|GLU||5.4|mmol/L",
        "",
    )
)


async def _acknowledge(reader: HL7StreamReader, writer: HL7StreamWriter) -> None:
    while not writer.is_closing():
        try:
            message = await reader.readmessage()
        except asyncio.IncompleteReadError:
            break
        writer.writemessage(message.create_ack())
        await writer.drain()
    writer.close()


async def receiver(address: str, port: int) -> None:
    """Acknowledge what comes."""
    async with await start_hl7_server(_acknowledge, address, port) as server:
        await server.serve_forever()


async def sender(address: str, port: int) -> None:
    """One message and its answer."""
    reader, writer = await open_hl7_connection(address, port)
    writer.writemessage(hl7.parse(OBSERVATION))
    await writer.drain()
    answer = await reader.readmessage()
    assert str(answer.segment("MSA")[1]) == "AA", answer
    writer.close()
    await writer.wait_closed()


if __name__ == "__main__":
    asyncio.run({"receiver": receiver, "sender": sender}[sys.argv[1]](sys.argv[2], int(sys.argv[3])))
