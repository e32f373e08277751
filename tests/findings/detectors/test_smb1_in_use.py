"""smb1-in-use: a server that answered in SMB1; a client that merely begins so is not one."""

from agent.findings.records import Severity
from agent.packets.records import Application
from tests.findings.bench import IN, SESSION, Bench

SMB1 = int(Application.SMB1)


def test_a_server_that_speaks_it(bench: Bench) -> None:
    server, modality = bench.add("hospital-server", smb1=True), bench.add("imaging-modality")
    edge = bench.edge(server, modality, 445, direction=IN, application=SMB1)
    (found,) = bench.interval([edge])
    assert (found.id, found.severity) == ("smb1-in-use", Severity.POSTURE)
    assert not [f for _ in range(90) for f in bench.interval([edge])], "an inventory fact is told once"


def test_a_server_that_answers_in_a_newer_one(bench: Bench) -> None:
    server, desk = bench.add("hospital-server"), bench.add("office-workstation", smb1=True)
    assert not bench.interval([bench.edge(server, desk, 445, direction=IN, application=SMB1)])


def test_a_session_without_data_is_not_in_use(bench: Bench) -> None:
    server = bench.add("hospital-server", smb1=True)
    assert not bench.interval([bench.edge(server, "10.1.1.1", 445, direction=IN, application=SMB1, gates=SESSION)])
