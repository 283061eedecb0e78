"""The scripts of a line or two: what is known of a file, samples, archives, words for TAB."""

import gzip
import hashlib
import io
import os
import tarfile
from pathlib import Path

from tests.inside.conftest import Run


def test_what_the_guest_lacks_is_named(sh: Run) -> None:
    done = sh("files/needs", around=lambda text: text + "needs cat no-such-program\necho on")
    said = b"the guest has no no-such-program, which this needs\n"
    assert (done.returncode, done.stdout, done.stderr) == (127, b"", said)
    assert sh("files/needs", around=lambda text: text + "needs cat\necho on").stdout == b"on\n"


def test_a_files_facts(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"12345")
    (tmp_path / "l").symlink_to("f")
    mode, size, *_ = sh("files/needs+files/stat", str(tmp_path / "l"), "").stdout.split()
    assert (int(mode, 16) & 0o170000, size) == (0o120000, b"1")
    mode, size, *_ = sh("files/needs+files/stat", str(tmp_path / "l"), "-L").stdout.split()
    assert (int(mode, 16) & 0o170000, size) == (0o100000, b"5")
    assert sh("files/size", str(tmp_path / "l")).stdout == b"5\n"
    assert sh("files/size", str(tmp_path / "none")).returncode


def test_a_file_is_emptied_linked_and_dated(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "-f").write_bytes(b"12345")
    assert sh("files/link", f"{tmp_path}/-f", f"{tmp_path}/-g").returncode == 0
    assert os.path.samefile(tmp_path / "-f", tmp_path / "-g")
    assert sh("files/touch", f"{tmp_path}/-f", "1700000000.25").returncode == 0
    assert int(os.stat(tmp_path / "-f").st_mtime) == 1700000000
    assert sh("files/empty", f"{tmp_path}/-f").returncode == 0
    assert (tmp_path / "-g").read_bytes() == b""


def test_samples(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(100_000))
    assert 0 < int(sh("files/sample_file", f"{tmp_path}/f", "65536").stdout) < 1000
    assert 0 < int(sh("files/sample_tree", str(tmp_path), "f", "", "65536").stdout) < 1000
    assert sh("files/has_gzip").returncode == 0


def test_a_part_of_a_file_comes_compressed(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert gzip.decompress(sh("files/pour", f"{tmp_path}/f", "3", "4").stdout) == b"2345"
    assert sh("files/pour", f"{tmp_path}/none", "1", "4").returncode


def test_a_part_of_a_file_comes_as_it_is(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert sh("files/send", f"{tmp_path}/f", "1", "4").stdout == b"0123"
    assert sh("files/send", f"{tmp_path}/f", "3", "4").stdout == b"2345"
    assert sh("files/send", f"{tmp_path}/none", "3", "4").returncode


def test_a_large_file_is_sent_and_received_in_blocks_and_the_rest(sh: Run, tmp_path: Path) -> None:
    data = os.urandom(2**20) * 3 + b"rest"
    (tmp_path / "f").write_bytes(data + b"not asked for")
    assert sh("files/send", f"{tmp_path}/f", "1", str(len(data))).stdout == data
    whole = str(3 * 2**20)
    assert sh("files/send", f"{tmp_path}/f", "1", whole).stdout == data[:-4]
    # From a pipe, as from a port, a read may give less than was asked for.
    for count in (len(data), 3 * 2**20, 2**20 + 1, 5, 0):
        (tmp_path / "part").write_bytes(b"begun")
        assert sh("files/receive", str(count), stdin=data, around=_part).returncode == 0
        assert (tmp_path / "part").read_bytes() == b"begun" + data[:count]
    assert sh("files/receive", str(len(data)), stdin=data, around=_full).returncode == 1


def test_a_dd_without_full_blocks_is_done_without(sh: Run, tmp_path: Path) -> None:
    data = os.urandom(2**20) + b"rest"
    done = sh("files/receive", str(len(data)), stdin=data, around=_poor)
    assert (done.returncode, done.stderr) == (0, b"")
    assert (tmp_path / "part").read_bytes() == data
    done = sh("files/send", "part", "1", str(len(data)), around=_poor)
    assert (done.returncode, done.stdout) == (0, data)


def test_the_rest_of_a_file_is_sent_by_dd_too(sh: Run, tmp_path: Path) -> None:
    """uutils' head drops what a port does not take at once."""
    data = os.urandom(2**20 + 7)
    (tmp_path / "f").write_bytes(data)
    words = "files/send", "f", "8", str(2**20)
    done = sh(*words, around=lambda text: f"head() {{ return 9; }}\n{text}")
    assert (done.returncode, done.stdout) == (0, data[7:])
    done = sh(*words, around=lambda text: f"dd() {{ return 127; }}\n{text}")
    assert (done.returncode, done.stdout) == (0, data[7:])


def test_what_dd_fails_to_send_is_not_sent_by_head(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(bytes(2**20))
    done = sh("files/send", "f", "1", str(2**20), around=_broken)
    assert (done.returncode, done.stdout, done.stderr) == (1, b"", b"dd: no luck\n")


def _part(text: str) -> str:
    return f"file=part\n{text}"


def _full(text: str) -> str:
    return f"file=/dev/full\n{text}"


def _poor(text: str) -> str:
    lack = "dd() { case $* in *iflag*) echo \"bad operand 'iflag'\" >&2; return 1; esac; }\n"
    return f"file=part\n{lack}{text}"


def _broken(text: str) -> str:
    return f'dd() {{ case $* in *bs=*) echo "dd: no luck" >&2; return 1; esac; }}\n{text}'


def test_an_archive_and_its_digest(sh: Run, tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "f").write_bytes(b"text")
    for by in ("", "gzip -1 -c"):
        done = sh("files/needs+files/pack", str(tmp_path), "./d", "", by)
        archive = gzip.decompress(done.stdout) if by else done.stdout
        assert done.stderr.split()[0].decode() == hashlib.sha512(archive).hexdigest()
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            assert tar.getnames() == ["./d", "./d/f"]
        assert done.returncode == 0
    assert sh("files/needs+files/pack", str(tmp_path), "./none", "", "").returncode


def test_words_for_tab(sh: Run, tmp_path: Path) -> None:
    for name in ("ab", "a c", ".hidden"):
        (tmp_path / name).write_text("")
    (tmp_path / "ad").mkdir()
    assert sh("complete/paths", str(tmp_path), "a").stdout == b"a c\0ab\0ad/\0"
    assert sh("complete/paths", str(tmp_path / "none"), "").stdout == b""
    assert b"root\0" in sh("complete/users").stdout
    assert b"sh\0" in sh("complete/programs", "s").stdout


def test_a_keeper_has_taken_over_once_its_descriptor_is_no_folder(sh: Run, tmp_path: Path) -> None:
    assert sh("exec/taken", str(tmp_path)).returncode
    assert sh("exec/taken", f"{tmp_path}/none").returncode
    (tmp_path / "f").write_text("")
    assert sh("exec/taken", f"{tmp_path}/f").returncode == 0


def test_an_order_goes_to_a_pipe_of_ours_only(sh: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDWR | os.O_NONBLOCK)
    assert sh("exec/tell", "beat", f"{tmp_path}/pipe").returncode == 0
    assert os.read(reader, 64) == b"beat\n"
    os.close(reader)
    (tmp_path / "file").write_text("kept")
    assert sh("exec/tell", "beat", f"{tmp_path}/file").returncode
    assert (tmp_path / "file").read_text() == "kept"


def test_a_group_is_looked_up(sh: Run) -> None:
    """Also where there is no getent."""
    for first in ("", "PATH=/nosuch\n"):
        for name, code, said in (("root", 0, b""), ("nosuch", 96, b"no group nosuch\n")):
            text = f"{first}qga_group={name}\n"
            done = sh("exec/group", around=lambda it, text=text: text + it)
            assert (done.returncode, done.stderr) == (code, said)


def test_keys_of_a_user(sh: Run, tmp_path: Path) -> None:
    def keys(how: str, given: bytes, first: str = "") -> int:
        text = f"HOME='{tmp_path}'; export HOME\n{first}"
        return sh("network/keys", how, around=lambda it: text + it, stdin=given).returncode

    file = tmp_path / ".ssh" / "authorized_keys"
    assert keys("add", b"a 1\n") == 0
    file.write_bytes(b"a 1\nb 2")  # without an end
    assert keys("add", b"c 3\n") == 0
    assert file.read_bytes() == b"a 1\nb 2\nc 3\n"
    assert keys("remove", b"b 2\nb 2\r\n") == 0
    assert file.read_bytes() == b"a 1\nc 3\n"
    assert keys("remove", b"a 1\nc 3\n") == 0
    assert file.read_bytes() == b""
    assert keys("reset", b"d 4\n") == 0
    assert (file.read_bytes(), os.listdir(file.parent)) == (b"d 4\n", ["authorized_keys"])
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    file.write_bytes(b"".join(b"key %04d\n" % number for number in range(400)))
    before = file.read_bytes()
    for how, given in (("add", b"x" * 8000 + b"\n"), ("remove", b"key 0001\n"), ("reset", before)):
        assert keys(how, given, f"trap '' XFSZ; ulimit -f {10 if how == 'add' else 3}\n")
        assert file.read_bytes() == before, how  # no room: nothing has changed
        assert os.listdir(file.parent) == ["authorized_keys"]
    file.unlink()
    os.mkfifo(file)
    assert keys("add", b"a 1\n") == 1  # and does not wait for a reader
