"""A file written beside the work."""

from pathlib import Path

from agent.errors import StateError
from agent.service.saver import KeptFile, Saver, SaveThread
from tests.faults.conftest import eventually


def test_the_newest_content_is_what_is_there_at_the_end(tmp_path: Path) -> None:
    saver = Saver(tmp_path / "sensor" / "thing", print)
    for n in range(50):
        saver.save(b"%d" % n)
    saver.close()
    assert saver.path.read_bytes() == b"49"
    assert [path.name for path in saver.path.parent.iterdir()] == ["thing"]
    assert not saver.failed


def test_a_disk_that_refuses_is_counted_and_said(tmp_path: Path) -> None:
    said = list[str]()
    (tmp_path / "file").write_text("in the way")
    saver = Saver(tmp_path / "file" / "thing", said.append)
    saver.save(b"x")
    eventually(lambda: saver.failed == 1)
    assert "cannot be saved" in said[0]
    (tmp_path / "file").unlink()
    saver.save(b"y")
    saver.close()
    assert saver.path.read_bytes() == b"y"


def test_two_files_share_a_thread(tmp_path: Path) -> None:
    thread = SaveThread()
    savers = [Saver(tmp_path / name, print, thread) for name in ("a", "b")]
    for saver in savers:
        saver.save(saver.path.name.encode())
        saver.close()
    savers[0].save(b"newest")
    thread.close()
    assert [saver.path.read_bytes() for saver in savers] == [b"newest", b"b"]


def test_what_is_kept_is_due_when_it_changed_and_not_before_its_time(tmp_path: Path) -> None:
    kept = KeptFile(tmp_path / "thing", print, None, 60)
    asked = ((100, True), (159, True), (160, False), (161, True), (162, True), (221, True))
    assert [kept.is_due(now_s, changed=changed) for now_s, changed in asked] == [False, False, False, True, False, True]
    kept.close()


def test_a_damaged_file_is_put_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    def refuse(path: Path) -> str:
        raise StateError("it is damaged", where=str(path))

    said = list[str]()
    (tmp_path / "thing").write_text("x")
    kept = KeptFile(tmp_path / "thing", said.append, None, 60)
    assert kept.read(Path.read_text, "", "unused") == "x"
    assert kept.read(refuse, "nothing", "it is heard anew") == "nothing"
    kept.close()
    assert kept.damaged == 1
    assert said[0].endswith("it is damaged; it is heard anew")
    assert (tmp_path / "thing.damaged").read_text() == "x"
