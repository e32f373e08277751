"""Who speaks the languages of clinical devices and should not: DICOM under another's title, HL7 to a further receiver.

Plays for `misbehaviour.py`; nothing is sent anywhere.
"""

from collections.abc import Sequence

from tests.forge import dicom, hl7
from tests.simulators import clinical, services
from tests.simulators.medium import Behaviour, Host, Medium, Step
from tests.simulators.reel import Scene
from tests.simulators.stage import BUSY, Stage

TOOL = ("1.2.276.0.7230010.3.0.3.6.8", "OFFIS_DCMTK_368")


def _associates(titles: tuple[str, str], *, rejected: bool = False) -> list[Step]:
    answer = dicom.associate_reject() if rejected else dicom.associate_accept(titles, 1, clinical.ARCHIVE)
    steps = [
        Step(BUSY, True, dicom.associate_request(titles, [dicom.VERIFICATION], TOOL)),
        Step(BUSY, False, answer),
    ]
    return steps if rejected else [*steps, Step(BUSY, True, dicom.RELEASE_REQUEST)]


def borrowed_title(stage: Stage) -> None:
    """A laptop calls the PACS under the scanner's title."""
    laptop = stage.intruder("laptop", "3c:52:82:01:02:40", 99)
    stage.session(laptop, stage.one("pacs"), dicom.DICOM_PORT, _associates(("OTTIPACS", "CT_OTTI_1")), after_s=10)
    stage.mac, stage.evidence_s = laptop.mac, 11


def titles_tried(stage: Stage) -> None:
    """A laptop tries titles with the PACS."""
    laptop, archive = stage.intruder("laptop", "3c:52:82:01:02:41", 99), stage.one("pacs")
    for number, called in enumerate(("PACS", "ARCHIVE", "ANY-SCP", "DCM4CHEE", "ORTHANC", "STORESCP", "CONQUEST")):
        steps = _associates((called, "ECHOSCU"), rejected=True)
        stage.session(laptop, archive, dicom.DICOM_PORT, steps, after_s=10 + 2.0 * number)
    stage.mac, stage.evidence_s = laptop.mac, 10 + 2.0 * 2 + 1


def _observations(sender: Host, receiver: Host, application: str, turns: Sequence[int]) -> Scene:
    def scene(ward: Medium) -> Behaviour:
        said = [clinical.oru(ward, sender, application, clinical.CANARIES[0], number) for number in turns]
        steps = [Step(BUSY, index == 0, text) for pair in said for index, text in enumerate(pair)]
        yield from ward.session(sender, receiver, hl7.MLLP_PORT, steps)

    return scene


def results_sent_aside(stage: Stage) -> None:
    """A monitor sends its results to a laptop, too."""
    bed, laptop = stage.one("patient-monitor", 8), stage.intruder("laptop", "3c:52:82:01:02:42", 99)
    stage.plays(_observations(bed, laptop, "PHILIPS-IIC", range(5)), 15)
    stage.mac, stage.evidence_s = bed.mac, 16


def results_made_up(stage: Stage) -> None:
    """A laptop sends results under the central station's name."""
    laptop, engine = stage.intruder("laptop", "3c:52:82:01:02:43", 99), stage.life.ward.hosts[services.ENGINE]
    stage.plays(_observations(laptop, engine, "PHILIPS-PIC", range(5)), 10)
    stage.mac, stage.evidence_s = laptop.mac, 11
