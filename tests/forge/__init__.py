"""Frames from fields: one file per protocol family, checksums right unless a test says otherwise.

Every builder is a frozen dataclass of header fields with `octets(...)`, or a function that returns octets. They nest
from the inside out: `ethernet(DST, SRC, IPV4, Ipv4(a, b, TCP).octets(Tcp(1024, 104).octets(a, b, payload)))`.
"""
