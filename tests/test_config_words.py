"""Lines, names and units."""

import pytest

from agent.config_words import line_of, nearest_key, nearest_section, shown, unit_of, value_hint

TEXT = """# wardtap
site.agent = "tap-1"
spool = { limit_bytes = 1 }

[tap]  # legs
  legs = ["a"]
"buffer_bytes" = 3

[ metering ]
tcp_idle_timeout_s=3

[summaries.deeper]
x = 1
"""
KEYS = {"tap": ["legs", "buffer_bytes"], "spool": ["limit_bytes", "segment_bytes"], "summaries": ["interval_s"]}


@pytest.mark.parametrize(
    ("section", "key", "line"),
    [
        ("tap", "", 5),
        ("tap", "legs", 6),
        ("tap", "buffer_bytes", 7),
        ("tap", "other", 5),
        ("metering", "tcp_idle_timeout_s", 10),
        ("site", "agent", 2),
        ("spool", "limit_bytes", 3),
        ("spool", "", 3),
        ("summaries", "deeper", 12),
        ("nowhere", "x", 1),
    ],
)
def test_line_of(section: str, key: str, line: int) -> None:
    assert line_of(TEXT, section, key) == line


def test_a_quoted_name_is_one_name() -> None:
    assert line_of('[tap]\n"le\\u0067s" = 1', "tap", "legs") == 1  # not found by its escape: the section's line
    assert line_of("[tap]\n\nlegs = 1", "tap", "legs") == 3


@pytest.mark.parametrize(
    ("section", "key", "answer"),
    [
        ("summaries", "interval_minutes", "did you mean interval_s, in seconds?"),
        ("spool", "limit", "did you mean limit_bytes, in bytes?"),
        ("spool", "legs", "legs belongs in the section [tap]"),
        ("tap", "leg", "did you mean legs?"),
        ("tap", "zzz", "[tap] has legs, buffer_bytes"),
    ],
)
def test_nearest_key(section: str, key: str, answer: str) -> None:
    assert nearest_key(section, key, KEYS) == answer


def test_nearest_section() -> None:
    assert nearest_section("taps", KEYS) == "did you mean [tap]?"
    assert nearest_section("interval_s", KEYS) == "interval_s belongs in the section [summaries]"
    assert nearest_section("zzz", KEYS) == "sections are tap, spool, summaries"


@pytest.mark.parametrize(
    ("key", "value", "answer"),
    [
        ("interval_s", "1m", "write interval_s = 60"),
        ("interval_s", "1.5 h", "write interval_s = 5400"),
        ("interval_s", "500 ms", "it is in seconds, whole ones"),
        ("interval_s", "soon", "it is in seconds"),
        ("limit_bytes", "1 GB", "write limit_bytes = 1000000000"),
        ("limit_bytes", "1GiB", "write limit_bytes = 1073741824"),
        ("limit_bytes", "3 apples", "it is in bytes"),
        ("loss_warn_permille", "0.1 %", "write loss_warn_permille = 1"),
        ("broker", 3, ""),
    ],
)
def test_value_hint(key: str, value: object, answer: str) -> None:
    assert value_hint(key, value) == answer


def test_units_and_names() -> None:
    assert (unit_of("interval_s"), unit_of("limit_bytes"), unit_of("broker")) == ("seconds", "bytes", "")
    assert shown("a\n\x1b[31mb") == "a\\n\\x1b[31mb"
