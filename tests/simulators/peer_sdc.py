"""A provider or a consumer of IEEE 11073 SDC, with the library sdc11073, as a program of its own.

    python -m tests.simulators.peer_sdc provider|consumer ADDRESS

The provider is a ventilator with a patient; it tells a metric again and again until it is ended. The consumer looks
for medical devices, reads all that the first one says of itself, the patient too, waits for a metric, and ends.
"""

import logging
import sys
import threading
import time
import uuid
from decimal import Decimal

from sdc11073 import observableproperties
from sdc11073.consumer.consumerimpl import SdcConsumer
from sdc11073.definitions_sdc import SdcV1Definitions
from sdc11073.location import SdcLocation
from sdc11073.mdib import ConsumerMdib, ProviderMdib
from sdc11073.provider import SdcProvider
from sdc11073.wsdiscovery import WSDiscovery
from sdc11073.xml_types.dpws_types import ThisDeviceType, ThisModelType

PATIENT = ("QUILLFEATHER", "ORSOLYA", "WT7740193V")  # a test looks for them in what the sensor says
WAIT_S = 30.0
PARTICIPANT = "http://standards.ieee.org/downloads/11073/11073-10207-2017/participant"
MESSAGE = "http://standards.ieee.org/downloads/11073/11073-10207-2017/message"
MDIB = f"""<?xml version="1.0" encoding="UTF-8"?>
<msg:GetMdibResponse xmlns:msg="{MESSAGE}" xmlns:pm="{PARTICIPANT}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"
 MdibVersion="1" SequenceId="urn:uuid:6f1f3f0e-0000-4000-8000-000000000001"><msg:Mdib MdibVersion="1"
 SequenceId="urn:uuid:6f1f3f0e-0000-4000-8000-000000000001">
<pm:MdDescription DescriptionVersion="1"><pm:Mds Handle="mds" DescriptorVersion="1"><pm:Type Code="70001"/>
<pm:SystemContext Handle="sc" DescriptorVersion="1"><pm:PatientContext Handle="pat" DescriptorVersion="1"/>
<pm:LocationContext Handle="loc" DescriptorVersion="1"/></pm:SystemContext>
<pm:Clock Handle="clock" DescriptorVersion="1"/>
<pm:Vmd Handle="vmd" DescriptorVersion="1"><pm:Channel Handle="chan" DescriptorVersion="1">
<pm:Metric xsi:type="pm:NumericMetricDescriptor" Handle="paw" DescriptorVersion="1" MetricCategory="Msrmt"
 MetricAvailability="Cont" Resolution="0.1"><pm:Unit Code="266016"/></pm:Metric></pm:Channel></pm:Vmd></pm:Mds>
</pm:MdDescription><pm:MdState StateVersion="1">
<pm:State xsi:type="pm:MdsState" DescriptorHandle="mds" DescriptorVersion="1"/>
<pm:State xsi:type="pm:SystemContextState" DescriptorHandle="sc" DescriptorVersion="1"/>
<pm:State xsi:type="pm:PatientContextState" DescriptorHandle="pat" Handle="pat.state" DescriptorVersion="1"
 ContextAssociation="Assoc"><pm:Identification Root="urn:oid:2.999" Extension="{PATIENT[2]}"/>
<pm:CoreData><pm:Givenname>{PATIENT[1]}</pm:Givenname><pm:Familyname>{PATIENT[0]}</pm:Familyname></pm:CoreData></pm:State>
<pm:State xsi:type="pm:ClockState" DescriptorHandle="clock" DescriptorVersion="1" RemoteSync="false"/>
<pm:State xsi:type="pm:VmdState" DescriptorHandle="vmd" DescriptorVersion="1"/>
<pm:State xsi:type="pm:ChannelState" DescriptorHandle="chan" DescriptorVersion="1"/>
<pm:State xsi:type="pm:NumericMetricState" DescriptorHandle="paw" DescriptorVersion="1"/>
</pm:MdState></msg:Mdib></msg:GetMdibResponse>"""


def provider(address: str) -> None:
    """Announce a ventilator and tell a pressure until the program is ended."""
    discovery = WSDiscovery(address)
    discovery.start()
    mdib = ProviderMdib.from_string(MDIB.encode())
    model = ThisModelType(manufacturer="Quiet", model_name="Ventilator", model_number="1")
    device = SdcProvider(
        discovery,
        model,
        ThisDeviceType(friendly_name="Ventilator", firmware_version="1", serial_number="1"),
        mdib,
        epr=uuid.UUID("6f1f3f0e-0000-4000-8000-000000000002"),
    )
    device.start_all(start_rtsample_loop=False)
    device.set_location(SdcLocation(fac="HOSP", poc="W3", bed="QUILLFEATHER-BED"), publish_now=True)
    value = Decimal(0)
    while True:
        value += 1
        with mdib.metric_state_transaction() as change:
            state = change.get_state("paw")
            if state.MetricValue is None:
                state.mk_metric_value()
            state.MetricValue.Value = value
        time.sleep(0.2)


def consumer(address: str) -> None:
    """Find the first provider, read it, and end with the first metric it tells; an error when there is none."""
    discovery = WSDiscovery(address)
    discovery.start()
    end = time.monotonic() + WAIT_S
    found = []
    while not found:
        assert time.monotonic() < end, "no provider answered"
        found = discovery.search_services(types=SdcV1Definitions.MedicalDeviceTypesFilter, timeout=1)
    reader = SdcConsumer.from_wsd_service(found[0], ssl_context_container=None)
    reader.start_all()
    mdib = ConsumerMdib(reader)
    mdib.init_mdib()
    patients = [state for state in mdib.context_states.objects if getattr(state, "CoreData", None) is not None]
    assert patients[0].CoreData.Familyname == PATIENT[0], "the patient went over the cable"
    told = threading.Event()

    def hear(_: object) -> None:  # held weakly by the library, so it has a name here
        told.set()

    observableproperties.bind(mdib, metrics_by_handle=hear)
    assert told.wait(WAIT_S), "no metric was told"
    reader.stop_all()
    discovery.stop()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    {"provider": provider, "consumer": consumer}[sys.argv[1]](sys.argv[2])
