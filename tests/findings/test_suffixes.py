"""What an owner registered: the rules of publicsuffix.org, and names that nobody would write."""

import string
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import InputError
from agent.findings.name_lists import shipped_packs
from agent.findings.suffixes import HEAD, SUFFIXES, Suffixes, load_suffixes

LIST = load_suffixes(shipped_packs())


# The test vectors of publicsuffix.org (test_psl.txt, public domain), those that name a domain.
@pytest.mark.parametrize(
    ("name", "registered"),
    [
        ("example.com", "example.com"),
        ("a.b.example.com", "example.com"),
        ("b.example.uk.com", "example.uk.com"),
        ("a.b.example.biz", "example.biz"),
        ("b.c.mm", "b.c.mm"),
        ("a.b.c.mm", "b.c.mm"),
        ("test.ac.jp", "test.ac.jp"),
        ("www.test.kyoto.jp", "test.kyoto.jp"),
        ("a.b.ide.kyoto.jp", "b.ide.kyoto.jp"),
        ("a.b.c.kobe.jp", "b.c.kobe.jp"),
        ("www.city.kobe.jp", "city.kobe.jp"),
        ("www.ck", "www.ck"),
        ("www.www.ck", "www.ck"),
        ("a.b.c.ck", "b.c.ck"),
        ("www.test.k12.ak.us", "test.k12.ak.us"),
        ("www.xn--85x722f.xn--55qx5d.cn", "xn--85x722f.xn--55qx5d.cn"),
        ("shishi.xn--fiqs8s", "shishi.xn--fiqs8s"),
        ("x.d111.cloudfront.net", "d111.cloudfront.net"),
    ],
)
def test_vectors(name: str, registered: str) -> None:
    assert LIST.registered(name) == registered


@pytest.mark.parametrize("name", ["com", "localhost", "co.uk", ""])
def test_what_is_a_suffix_itself(name: str) -> None:
    assert LIST.registered(name) == name


def test_without_a_list_two_labels_are_an_owners() -> None:
    assert Suffixes().registered("a.b.co.uk") == "co.uk"


@given(st.text(alphabet=string.printable + "\u00e4\u202e.", max_size=128))
def test_any_name_gives_its_own_end(name: str) -> None:
    found = LIST.registered(name)
    assert ".".join(label for label in name.split(".") if label).endswith(found)


def test_what_is_no_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        load_suffixes(tmp_path)
    (tmp_path / SUFFIXES).write_bytes(b"com\nnet\n")
    with pytest.raises(InputError, match="no suffix list"):
        load_suffixes(tmp_path)
    (tmp_path / SUFFIXES).write_bytes(HEAD.encode() + b"1\nc\xf6m\n")
    with pytest.raises(InputError, match="cannot be read"):
        load_suffixes(tmp_path)
