"""Whatever a payload says, the judge judges: no text of it raises anything, and none of it leaves."""

from hypothesis import given
from hypothesis import strategies as st

from agent.devices.records import Remark
from agent.devices.remarks import CALLED, LISTENED
from agent.summaries.privacy import Pseudonyms
from tests.findings.bench import Bench, S

MARK = "QUILLFEATHER"
TEXTS = st.one_of(
    st.text(max_size=128), st.sampled_from(["com", ".", "a.b.co.uk", "x" * 128, "*.ck", "!www.ck", "xn--"])
)
WORDS = st.lists(st.tuples(st.sampled_from([*sorted(LISTENED), CALLED]), TEXTS), max_size=16)
ENDS = st.integers(0, 5)


@given(st.lists(st.tuples(ENDS, ENDS, WORDS), max_size=20))
def test_any_words_are_judged(said: list[tuple[int, int, list[tuple[str, str]]]]) -> None:
    bench = Bench()
    roles = ("pacs", "imaging-modality", "clinical-workstation", "hospital-server", "unknown")
    macs = [bench.mac(bench.add(role)) for role in roles] + [0x00DEAD000001]
    for settled in (False, True):
        remarks = [Remark(bench.now_ns, macs[one], macs[two], tuple(words)) for one, two, words in said]
        bench.interval(remarks=remarks, settled=settled, after_ns=S)


@given(st.lists(st.sampled_from(sorted(LISTENED)), min_size=1, max_size=8), st.text(max_size=60))
def test_no_word_leaves(kinds: list[str], text: str) -> None:
    bench, gate = Bench(), Pseudonyms(bytes(32))
    server = bench.add("pacs")
    stranger = bench.comes()
    words = ((CALLED, f"{MARK}{text}"), *((kind, f"{MARK}{text}.facebook.com") for kind in kinds))
    heard = [bench.remark(stranger, server, *words) for _ in range(3)]
    for found in [*bench.judge(remarks=heard), *bench.interval(remarks=heard)]:
        assert MARK not in str(gate.finding(found)).upper()
