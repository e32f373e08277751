"""The import rules as tables: rooms and what they may import, packages and who owns them, each row with its reason."""

from typing import NamedTuple


class Room(NamedTuple):
    """The files of a row, the modules they may import beside their own folder's, and why."""

    files: str
    may: tuple[str, ...]
    because: str


class Owner(NamedTuple):
    """A package or a capability, the files that may import it, and why there."""

    module: str
    files: tuple[str, ...]
    because: str


def wire(*names: str) -> tuple[str, ...]:
    """Some modules of the wire room, and its package."""
    return ("agent.wire", *(f"agent.wire.{name}" for name in names))


_SHARED = (
    "errors",
    "clock",
    "counters",
    "durable",
    "kept_toml",
    "last_words",
    "paragraphs",
    "visible",
    "command_line",
    "tls",
)
SHARED = ("agent", *(f"agent.{name}" for name in _SHARED))
SETTINGS = (*SHARED, "agent.config")
WIRE, SIGNING = wire("*"), ("agent.signing", "agent.signing.*")
JIT = ("agent.jit", "agent.keyed")
TAP, PACKETS, FLOWS, DEVICES, FINDINGS = (
    f"agent.{stage}.records" for stage in ("tap", "packets", "flows", "devices", "findings")
)
HINTS = "agent.packets.hints.records"
SPOOL = tuple(f"agent.spool.{name}" for name in ("reader", "records", "coverage", "segment", "writer"))
ASKED = tuple(f"agent.commands.{name}" for name in ("audit", "forms", "policy"))  # what both ends of a command know
SEALED = wire("body", "chain", "command", "delivery", "header", "presence", "schema", "topics", "types")

# The first row whose pattern fits counts; `*` goes into folders.
ROOMS = (
    Room("agent/__init__.py", (), "importing the package must cost nothing"),
    Room("agent/__main__.py", ("agent.service.cli",), "`python -m agent` is `wardtap`"),
    Room("agent/errors.py", (), "everybody raises them, so they lean on nobody"),
    Room("agent/clock.py", ("agent.errors",), "the only place that asks the time leans on nobody else"),
    Room("agent/durable.py", (), "small files for every room lean on nobody"),
    Room("agent/kept_toml.py", ("agent.durable",), "a parser with a memory knows nothing of what it reads"),
    Room("agent/last_words.py", (), "a program that breaks leans on nobody"),
    Room("agent/tls.py", ("agent.clock", "agent.errors"), "how brokers are believed is one thing for all clients"),
    Room("agent/visible.py", (), "what people are shown of hostile text leans on nobody"),
    Room("agent/command_line.py", ("agent.errors", "agent.last_words", "agent.visible"), "programs end alike"),
    Room("agent/paragraphs.py", (), "lines for a terminal lean on nobody"),
    Room("agent/counters.py", ("agent.errors",), "plain numbers that every stage may count"),
    Room("agent/jit.py", (), "its folder hash covers every kernel, so it may import none"),
    Room("agent/keyed.py", ("agent.jit",), "keyed hashing is pasted into kernels and compiled with them"),
    Room("agent/config*.py", (*SHARED, "agent.config*", *wire("schema")), "ids are checked as on the wire"),
    Room("agent/tap/kernels*.py", ("agent.jit",), "the walk over rings and files knows only its own rows"),
    Room("agent/tap/*", (*SETTINGS, *JIT), "the first stage has no stage before it"),
    Room("agent/packets/kernels_burst.py", (*JIT, TAP), "it joins the kernels of its room and sees no owner"),
    Room("agent/packets/kernels*.py", (*JIT, TAP), "kernels see rows, never their owners"),
    Room("agent/packets/hints/*", (PACKETS,), "readers of hostile payloads hold nothing of worth"),
    Room("agent/packets/*", (*SETTINGS, *JIT, TAP), "frames in, rows out"),
    Room("agent/flows/kernels*.py", (*JIT, TAP, PACKETS), "kernels see rows, never their owners"),
    Room("agent/flows/*", (*SETTINGS, *JIT, TAP, PACKETS), "rows in, biflows out"),
    Room("agent/devices/kernels*.py", (*JIT, TAP, PACKETS, FLOWS), "kernels see rows, never their owners"),
    Room("agent/devices/*", (*SETTINGS, *JIT, TAP, PACKETS, HINTS, FLOWS), "biflows and hints in, identity out"),
    Room("agent/findings/kernels*.py", (*JIT, PACKETS, DEVICES), "kernels see rows, never their owners"),
    Room(
        "agent/findings/*", (*SETTINGS, TAP, PACKETS, FLOWS, DEVICES), "the judge sees rows and a view, never a table"
    ),
    Room(
        "agent/summaries/*",
        (*SETTINGS, *wire("summary", "finding", "types"), TAP, PACKETS, HINTS, FLOWS, DEVICES, FINDINGS),
        "the last gate before the spool builds contents and signs nothing",
    ),
    Room("agent/wire/*", ("agent.errors", "agent.clock"), "the contract with the collector stands by itself"),
    Room("agent/signing/*", ("agent.errors", "agent.clock", *WIRE), "keys and envelopes know the types they sign"),
    Room(
        "agent/spool/*",
        (*SETTINGS, *wire("body", "chain", "delivery", "header", "types")),
        "the sensor's durable log holds bodies and has no keys",
    ),
    Room(
        "agent/uplink/*",
        (*SETTINGS, *SIGNING, *SEALED, *SPOOL),
        "the uplink sees bytes: no wire.summary, no wire.finding, no stage",
    ),
    Room("agent/commands/*", (*SETTINGS, *WIRE, *SIGNING), "commands act through protocols that are passed in"),
    Room("agent/update/*", (*SETTINGS, *WIRE, *SIGNING), "it trusts signatures and nothing that runs"),
    Room(
        "agent/service/demo.py", ("agent", "agent.*", "agent.ctl.lab"), "the demo also sets up a lab's keys, on a desk"
    ),
    Room("agent/service/*", ("agent", "agent.*"), "the assembly knows the whole appliance, and nobody knows it"),
    Room(
        "agent/collector/*", (*SHARED, *WIRE, *SIGNING, "agent.commands.audit"), "runs off the appliance: never a stage"
    ),
    Room("agent/ctl/*", (*SETTINGS, *WIRE, *SIGNING, *ASKED), "runs on an operator's machine: never a stage"),
)
OFF_THE_APPLIANCE = ("agent.collector", "agent.ctl")
IDLE_ROWS = {"agent/counters.py": "shared ground of the design; today every stage counts for itself"}

WITH_ROWS = ("tap", "packets", "flows", "devices", "findings", "summaries", "service")
DEMO = ("agent/service/demo.py", "agent/service/programs.py")  # run on a desk, never by a unit
# Files of leaves and constants that kernels paste in; agent/jit.py hashes them into the cache folder's name.
PASTED = (
    *("records", "layouts", "cursor", "keys", "lifecycle", "ends", "placing", "sets", "tallies", "trying"),
    *("walk_ip", "walk_link", "walk_transport", "scan", "logins", "smb_shapes", "point_of_care"),
    *("gists", "budgets"),
)
OWNERS = (
    Owner("numba", ("agent/jit.py",), "two decorators are all that the tree needs of it"),
    Owner("llvmlite", ("agent/jit.py",), "one instruction that numba has no word for: fetch a cache line"),
    Owner("pcapy", ("agent/tap/pcapy_live.py",), "one backend among several"),
    Owner("msgpack", ("agent/wire/codec.py",), "limits are set in one place"),
    Owner("cryptography", ("agent/signing/*",), "keys stay in one room"),
    Owner(
        "paho",
        ("agent/uplink/session.py", "agent/collector/subscriber.py", "agent/ctl/session.py"),
        "one session a program, and its queue is never the spool",
    ),
    Owner("sqlite3", ("agent/collector/store/*",), "one store, one durability setting"),
    Owner(
        "numpy",
        ("agent/keyed.py", "agent/jit.py", *(f"agent/{room}/*" for room in WITH_ROWS)),
        "rows end where messages begin: wire, spool and uplink have no arrays",
    ),
    Owner("time", ("agent/clock.py",), "whoever needs the time is passed a clock"),
    Owner(
        "socket",
        (
            "agent/tap/packet_socket.py",
            "agent/tap/link.py",
            "agent/tap/offloads.py",
            "agent/service/lifesign.py",
            "agent/collector/*",
            *DEMO,
        ),
        "the sensor hears on packet sockets and asks the kernel of its interfaces; signs of life go to the service "
        "manager; the demo finds a free port",
    ),
    Owner(
        "ssl",
        ("agent/tls.py", "agent/uplink/session.py", "agent/collector/*", "agent/ctl/session.py"),
        "TLS is for the broker and for notices",
    ),
    Owner(
        "subprocess",
        ("agent/update/installer.py", "agent/service/egress.py", *DEMO),
        "one program starts others, the doctor asks two that list; the demo starts all",
    ),
    Owner("smtplib", ("agent/collector/notify/*",), "notices leave from the collector"),
    Owner("http", ("agent/collector/*", "agent/ctl/*"), "the appliance serves and fetches no page"),
    Owner("urllib.request", ("agent/collector/*", "agent/ctl/*", *DEMO), "the appliance fetches nothing"),
    Owner("pickle", (), "reading one runs it; state is data"),
    Owner("marshal", (), "reading one can crash the interpreter"),
    Owner("shelve", (), "it is pickle with a file name"),
    Owner("amqtt", ("agent/service/*", "agent/collector/*"), "the demo's embedded broker, an extra"),
    Owner("starlette", ("agent/collector/web/*",), "the page"),
    Owner("uvicorn", ("agent/collector/web/*", "agent/collector/service.py"), "the page's server"),
    Owner("jinja2", ("agent/collector/web/*",), "the page's templates"),
    Owner("typer", ("agent/ctl/*", "agent/collector/cli.py"), "command lines off the appliance, an extra"),
    Owner("rich", ("agent/ctl/*", "agent/collector/cli.py", "agent/service/*"), "tables for people, an extra"),
)

COMPILED = ("numba", "llvmlite", "pcapy")


class Absence(NamedTuple):
    """Rooms, the packages without which they must import, and why."""

    rooms: tuple[str, ...]
    absent: tuple[str, ...]
    because: str


ABSENCES = (
    Absence(("collector", "ctl"), (*COMPILED, "agent.service"), "they run where no appliance is"),
    Absence(("wire", "signing"), (*COMPILED, "numpy", "paho"), "the contract needs no arrays and no broker"),
    Absence(("spool",), (*COMPILED, "numpy", "paho", "cryptography"), "a durable log has no keys"),
    Absence(("uplink", "commands"), (*COMPILED, "numpy"), "the process with the keys never sees a packet"),
    Absence(
        ("tap", "packets", "flows", "devices", "findings", "summaries"),
        ("cryptography", "paho", "sqlite3"),
        "the process that sees packets never has a key or a broker",
    ),
)
PROGRAMS = {
    "agent.collector.cli": COMPILED,
    "agent.ctl.cli": COMPILED,
    "agent.service.uplink": (*COMPILED, "numpy"),
    "agent.service.sensor": ("paho", "cryptography"),
}
