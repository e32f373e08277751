"""Header numbers by their names, as their standards fix them: links, EtherTypes, protocols, ports."""

# Link types (the tcpdump group's LINKTYPE_ registry).
LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_LOOP, LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_NFLOG, LINK_SLL2 = (
    0, 1, 101, 108, 113, 228, 229, 239, 276,
)  # fmt: skip
LINK_RAW_BSD, LINK_RAW_OPENBSD = 12, 14  # DLT_RAW as some systems write it into files

LINKS_READ = frozenset(
    {
        LINK_NULL, LINK_ETHERNET, LINK_RAW, LINK_LOOP, LINK_SLL, LINK_IPV4, LINK_IPV6, LINK_NFLOG, LINK_SLL2,
        LINK_RAW_BSD, LINK_RAW_OPENBSD,
    }
)  # fmt: skip

# EtherTypes (IEEE 802 numbers).
IPV4, ARP, RARP, IPV6, VLAN, QINQ, QINQ_OLD = 0x0800, 0x0806, 0x8035, 0x86DD, 0x8100, 0x88A8, 0x9100
MPLS, MPLS_MULTICAST, PPPOE_SESSION, TRANSPARENT_ETHERNET = 0x8847, 0x8848, 0x8864, 0x6558
ETHERTYPE_MIN = 0x0600  # below it the field is an IEEE 802.3 length

# Protocol numbers (IANA).
ICMP, IGMP, IPIP, TCP, UDP, IPV6_IN_IP, GRE, ESP, AH, ICMPV6, NO_NEXT, SCTP = (
    1,
    2,
    4,
    6,
    17,
    41,
    47,
    50,
    51,
    58,
    59,
    132,
)
HOP_BY_HOP, ROUTING, FRAGMENT, DESTINATION, MOBILITY, HIP, SHIM6 = 0, 43, 44, 60, 135, 139, 140

# UDP ports of tunnels: RFC 7348, RFC 8926, RFC 4380, RFC 5415.
VXLAN_PORT, GENEVE_PORT, TEREDO_PORT, CAPWAP_DATA_PORT = 4789, 6081, 3544, 5247

PPP_IPV4, PPP_IPV6 = 0x0021, 0x0057

MAPPED_IPV4 = 0xFFFF00000000  # ::ffff:0:0/96, lower 64 bits
