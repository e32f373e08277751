"""The list of sites: read whole or refused with its place."""

import pytest

from agent.errors import ConfigError
from agent.findings.name_lists import shipped_packs
from agent.findings.sites_file import CATEGORIES, NO_SITES, SITES, Site, parse_sites

SHIPPED = parse_sites((shipped_packs() / SITES).read_text("utf-8"))
ROW = '{ domain = "x.example", what = "X", category = "webmail", source = "own", verified = "U" }'


def listed(site: str = ROW, lookup: str = "") -> str:
    """A list with these rows."""
    return f'version = "1"\nsite = [{site}]\nlookup = [{lookup}]\n'


def test_the_shipped_list() -> None:
    assert {site.category for site in SHIPPED.sites.values()} == set(CATEGORIES)
    assert SHIPPED.site("www.facebook.com") == Site("Facebook", "social-media")
    assert SHIPPED.site("mail.google.com") == Site("Gmail", "webmail")
    assert SHIPPED.is_lookup("1.2.3.4.zen.spamhaus.org")


@pytest.mark.parametrize(
    "name", ["google.com", "notfacebook.com", "facebook.com.hospital.example", "com", "", ".", "facebook.com."]
)
def test_what_only_looks_like_it(name: str) -> None:
    assert SHIPPED.site(name) is None
    assert not SHIPPED.is_lookup(name)
    assert NO_SITES.site(name) is None


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("= 1", "is not TOML"),
        ('version = "1"\n', "needs exactly"),
        (listed(ROW.replace("webmail", "games")), "category is one of"),
        (listed(ROW.replace('"U"', '"?"')), "verified is V or U"),
        (listed(ROW.replace("x.example", "X.example")), "no domain in lower case"),
        (listed(ROW.replace("x.example", "example")), "no domain in lower case"),
        (listed(ROW.replace('"X"', '""')), "plain texts"),
        (listed(ROW.replace('"X"', "7")), "plain texts"),
        (listed(lookup=ROW), "needs exactly"),
        (listed(lookup=", ".join(["1"] * 1025)), "a list of at most"),
    ],
)
def test_what_is_refused(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        parse_sites(text)
