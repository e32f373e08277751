"""A configuration is read whole, or refused with the line, the key and what to write instead."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import config
from agent.errors import ConfigError

WRONG: list[tuple[str, int, str]] = [  # text, line, a piece of the answer
    ("[summaries]\n\ninterval = 60", 3, "summaries.interval is no key (did you mean interval_s, in seconds?)"),
    ("[summaries]\ninterval_ms = 60", 2, "did you mean interval_s, in seconds?"),
    ("[spool]\nlimit_mib = 60", 2, "did you mean limit_bytes, in bytes?"),
    ("[metering]\n# a comment\n\ntcp_idle_timeot_s = 3", 4, "did you mean tcp_idle_timeout_s?"),
    ("[uplink]\nbrokre = 'x'", 2, "did you mean broker?"),
    ("[tap]\ninterval_s = 3", 2, "interval_s belongs in the section [summaries]"),
    ("[tap]\nxyzzy = 3", 2, "[tap] has legs, buffer_bytes, backend, filter, workers"),
    ("[sumaries]\ninterval_s = 3", 1, "sumaries is no section (did you mean [summaries]?)"),
    ("[qqq]\n", 1, "sections are site, tap"),
    ("interval_s = 3", 1, "no key outside a section (interval_s belongs in the section [summaries])"),
    ('[site]\n"\\u001b[31m" = 3', 1, "site.\\x1b[31m is no key"),
    ('"\\n" = 3', 1, "\\n is no key outside a section"),
    ("tap = 3", 1, "tap is a section (write [tap])"),
    ("[[tap]]\nlegs = ['a']", 1, "tap is a section"),
    ("tap = { legz = [] }", 1, "did you mean legs?"),
    ("tap.legz = []", 1, "did you mean legs?"),
    ("[tap.legs]\na = 1", 1, "takes a list of texts, not a table"),
    ("[spool]\nlimit_bytes = '512 MiB'", 2, "takes a whole number, not text (write limit_bytes = 536870912)"),
    ("[summaries]\ninterval_s = '2 min'", 2, "(write interval_s = 120)"),
    ("[findings]\nloss_warn_permille = '1 %'", 2, "(write loss_warn_permille = 10)"),
    ("[summaries]\ninterval_s = 60.0", 2, "takes a whole number, not a number (it is in seconds)"),
    ("[summaries]\ninterval_s = true", 2, "takes a whole number, not true or false"),
    ("[summaries]\ninterval_s = 2026-01-01", 2, "takes a whole number, not a date or time"),
    ("[summaries]\ninterval_s = 0", 2, "must be 1 to 3600, not 0"),
    ("[summaries]\ninterval_s = 99999999999999999999", 2, "must be 1 to 3600"),
    ("[metering]\nflow_slots_max = 1025", 2, "must be a power of two"),
    ("[findings]\npage_confidence = nan", 2, "must be 0 to 1, not nan"),
    ("[findings]\npage_confidence = inf", 2, "must be 0 to 1, not inf"),
    ("[findings]\npage_confidence = 1.01", 2, "must be 0 to 1"),
    ("[findings]\npage_confidence = 'high'", 2, "takes a number from 0 to 1, not text"),
    ("[findings]\nloss_warn_permille = 20", 2, "is above loss_critical_permille"),
    ("[tap]\nlegs = 'eth1'", 2, "takes a list of texts, not text"),
    ("[tap]\nlegs = []", 2, "takes 1 to 4 texts, not 0"),
    ("[tap]\nlegs = ['a', 'b', 'c', 'd', 'e']", 2, "takes 1 to 4 texts, not 5"),
    ("[tap]\nlegs = ['eth1', 1]", 2, "entry 2: takes text in quotes"),
    ("[tap]\nlegs = ['eth1', 'eth1']", 2, "has the same text twice"),
    ("[tap]\nlegs = ['../eth1']", 2, "is no name of a network interface"),
    ("[tap]\nlegs = ['sixteen-letters-']", 2, "is no name of a network interface"),
    ("[tap]\nworkers = 0", 2, "must be 1 to 4, not 0"),
    ("[tap]\nworkers = 5", 2, "must be 1 to 4, not 5"),
    ("[tap]\nworkers = 'auto'", 2, "takes a whole number, not text"),
    ("[tap]\nbackend = 'pcapy'\nworkers = 2", 3, "workers is above 1 with the backend pcapy"),
    ("[tap]\nbackend = 'dpdk'", 2, "must be auto, ring or pcapy"),
    ("[tap]\nfilter = 'not vlan 5'", 2, "cannot ask for vlan"),
    ("[tap]\nfilter = 5", 2, "takes text in quotes"),
    ('[tap]\nfilter = "udp\\u0007"', 2, "at most 1000 printable letters"),
    ("[site]\nagent = 'Tap 1'", 2, "must be 1 to 32 of a-z, 0-9 and -"),
    ("[site]\nsite = ''", 2, "must be 1 to 32"),
    ("[site]\nagent = 1", 2, "takes text in quotes, not a whole number"),
    ("[identity]\nsite_networks = ['10.0.0.1/8']", 2, "has host bits set"),
    ("[identity]\nsite_networks = ['somewhere']", 2, "is no network"),
    ("[identity]\nplain_name_patterns = ['(']", 2, "is no regular expression"),
    ("[identity]\nplain_name_patterns = ['']", 2, "1 to 200 octets"),
    ("[uplink]\nbroker = 'http://x'", 2, "must be mqtts://host:port"),
    ("[uplink]\nbroker = 'mqtts://'", 2, "must be mqtts://host:port"),
    ("[uplink]\nbroker = 'mqtts://user:secret@host'", 2, "must be mqtts://host:port"),
    ("[uplink]\nbroker = 'mqtts://host:99999'", 2, "must be mqtts://host:port"),
    ("[uplink]\nbroker = 'mqtts://[::1'", 2, "must be mqtts://host:port"),
    ("[uplink]\nbroker = 'mqtts://host/path'", 2, "must be mqtts://host:port"),
    ("[uplink]\n\nkey = 'x'", 3, "uplink.key is set alone"),
    ("[uplink]\ncertificate = 'x'", 2, "uplink.certificate is set alone"),
    ("[spool]\nlimit_bytes = 4194304\nsegment_bytes = 2097152", 3, "is more than a quarter of limit_bytes"),
    ("[summaries]\ninterval_s = 3600\ncards_every_s = 60", 3, "is shorter than interval_s"),
    ("[state]\ndirectory = ''", 2, "must not be empty"),
    ('[state]\ndirectory = "a\\u0000b"', 2, "is no usable text"),
    ("[tap]\nlegs = ['a']\nlegs = ['b']", 3, "the same key is set twice"),
    ("[tap]\nlegs = ['a']\n\n[tap]\n", 4, "the same section is there twice"),
    ("[tap]\nlegs = ['a'\n", 2, "Unclosed array"),
    ("[tap", 1, "Expected ']'"),
    ("\n\nlegs", 3, ""),
    ("[tap]\n\x00", 2, "Invalid statement"),
]


@pytest.mark.parametrize(("text", "line", "answer"), WRONG)
def test_a_mistake_is_answered_with_line_key_and_what_to_write(text: str, line: int, answer: str) -> None:
    with pytest.raises(ConfigError) as refused:
        config.parse(text, "wardtap.toml")
    said = str(refused.value)
    assert said.startswith(f"wardtap.toml:{line}: ")
    assert answer in said
    assert said.isprintable()
    assert refused.value.exit_code == 2


def test_an_empty_file_is_the_default() -> None:
    assert config.parse("") == config.default() == config.Config()


def test_the_default_is_what_was_agreed() -> None:
    one = config.default()
    assert (one.site.site, one.site.agent, one.tap.legs, one.tap.backend) == ("ward", "tap-1", ("eth1",), "auto")
    assert (one.metering.flow_slots_max, one.metering.device_slots_max, one.metering.active_timeout_s) == (
        131072,
        4096,
        3600,
    )
    assert (one.summaries.interval_s, one.spool.limit_bytes, one.spool.segment_bytes) == (60, 512 << 20, 1 << 20)
    assert (one.uplink.broker, one.uplink.window, one.uplink.resend_after_s) == ("mqtts://localhost:8883", 20, 30)
    assert (one.findings.page_confidence, one.findings.settling_s) == (0.6, 900)
    assert one.state.path == Path("/var/lib/wardtap")


def test_a_state_directory_of_ones_own(tmp_path: Path) -> None:
    assert config.default(tmp_path).state.path == tmp_path


def test_every_default_is_allowed_in_a_file() -> None:
    assert config.parse(config.to_toml(config.default())) == config.default()


def test_values_arrive() -> None:
    one = config.parse(
        "[tap]\nlegs = ['eth1', 'eth2']\n[findings]\npage_confidence = 1\n"
        "[identity]\nsite_networks = ['203.0.113.0/24', '2001:db8::/32']\n[uplink]\nbroker = 'mqtt://127.0.0.1:1883'\n"
    )
    assert one.tap.legs == ("eth1", "eth2")
    assert isinstance(one.findings.page_confidence, float)
    assert one.identity.site_networks == ("203.0.113.0/24", "2001:db8::/32")
    assert one.uplink.broker == "mqtt://127.0.0.1:1883"
    assert config.parse(config.to_toml(one)) == one


def test_the_digest_is_of_the_values_not_of_the_text() -> None:
    plain = config.parse("[summaries]\ninterval_s = 60").sha256
    assert plain == config.parse("# a comment\nsummaries.interval_s = 0x3c").sha256 == config.default().sha256
    assert config.parse("[summaries]\ninterval_s = 61").sha256 != plain


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(AttributeError):
        config.default().site.agent = "tap-2"  # type: ignore[misc]


def test_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_text("[site]\nagent = 'tap-7'\n")
    assert config.load(path).site.agent == "tap-7"


def test_a_byte_order_mark_and_windows_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_bytes(b"\xef\xbb\xbf[site]\r\nagent = 'tap-7'\r\n")
    assert config.load(path).site.agent == "tap-7"


@pytest.mark.parametrize(
    ("octets", "line"),
    [
        (b"[site]\nagent = '\xff'", 2),
        ("[site]\n".encode("utf-16"), 1),
        (b"\n\n# caf\xe9\n", 3),
    ],
)
def test_what_is_not_utf_8_is_refused_with_the_line(tmp_path: Path, octets: bytes, line: int) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_bytes(octets)
    with pytest.raises(ConfigError, match=rf"wardtap\.toml:{line}: is not UTF-8 text"):
        config.load(path)


def test_what_is_no_readable_file_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    answers = {
        tmp_path: "is a directory",
        tmp_path / "pipe": "is not a regular file",
        tmp_path / "none": "cannot be read: No such file",
        tmp_path / "loop": "cannot be read",
        tmp_path / ("x" * 300): "cannot be read",
        Path("a\0b"): "not a file name",
    }
    before = len(list(Path("/proc/self/fd").iterdir()))
    for path, answer in answers.items():
        with pytest.raises(ConfigError, match=answer):
            config.load(path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_an_unreadable_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_text("")
    path.chmod(0)
    user = os.geteuid()
    if user == 0:  # root may read every file: be somebody else for a moment
        os.seteuid(65534)
    try:
        with pytest.raises(ConfigError, match="Permission denied"):
            config.load(path)
    finally:
        os.seteuid(user)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wardtap.toml"
    path.write_bytes(b"#" * (config.FILE_BYTES_MAX + 1))
    with pytest.raises(ConfigError, match="more than"):
        config.load(path)


def test_brackets_without_end_are_refused() -> None:
    for text in ("a = " + "[" * 100_000, "a = " + "{a=" * 5000):
        with pytest.raises(ConfigError):
            config.parse(text)


@given(st.text(max_size=200) | st.text(alphabet="[]site.agent='\"=\n 1_tapleg", max_size=80))
def test_any_text_is_a_configuration_or_refused_in_one_line(text: str) -> None:
    said = ""
    try:
        config.parse(text)
    except ConfigError as error:
        said = str(error)
    assert said.isprintable()
