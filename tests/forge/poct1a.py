"""POCT1-A2 messages, as an analyser and its data manager write them: values stand in attributes called V."""


def message(name: str, control: int, when: str, body: str = "", *, declared: bool = False) -> bytes:
    """One message with its header; `declared`: behind an XML declaration."""
    head = f'<HDR><HDR.control_id V="{control}"/><HDR.version_id V="POCT1"/><HDR.creation_dttm V="{when}"/></HDR>'
    declaration = '<?xml version="1.0" encoding="utf-8"?>\r\n' if declared else ""
    return f"{declaration}<{name}>{head}{body}</{name}>".encode()


def device(place: str, maker: str, model: str, serial: str) -> str:
    """The device section of a hello. Its id is the hospital and the ward."""
    return (
        f'<DEV><DEV.device_id V="">{place}</DEV.device_id><DEV.vendor_id V="{maker}"/><DEV.model_id V="{model}"/>'
        f'<DEV.serial_id V="{serial}"/><DEV.sw_version V="3.10.8.0"/><DEV.device_name V="{place}"/>'
        '<DCP><DCP.application_timeout V="120"/></DCP><DSC><DSC.connection_profile_cd V="SA"/>'
        '<DSC.topics_supported_cd V="D_EV"/><DSC.directives_supported_cd V="START_CONTINUOUS"/></DSC></DEV>'
    )


def status(when: str, observations: int) -> str:
    """How many results wait."""
    return (
        f'<DST><DST.status_dttm V="{when}"/><DST.new_observations_qty V="{observations}"/>'
        '<DST.condition_cd V="R"/></DST>'
    )


def observation(when: str, patient: str, operator: str, value: str) -> str:
    """A glucose of a patient (LOINC 2339-0), by an operator."""
    return (
        f'<SVC><SVC.role_cd V="OBS"/><SVC.observation_dttm V="{when}"/><PT><PT.patient_id V="{patient}"/>'
        f'<OBS><OBS.observation_id V="2339-0" SN="LN"/><OBS.value V="{value}" U="mg/dL"/></OBS></PT>'
        f'<OPR><OPR.operator_id V="{operator}"/></OPR></SVC>'
    )


def acknowledgement(control: int, of: int, when: str) -> bytes:
    """That a message was taken."""
    body = f'<ACK><ACK.type_cd V="AA"/><ACK.ack_control_id V="{of}"/></ACK>'
    return message("ACK.R01", control, when, body)
