"""exec on a Windows guest. S1, S2 ... number the faults that were found there first."""

import hashlib
import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.kit.command import qga
from tests.kit.fake import FakeAgent
from tests.kit.policies import programs
from tests.windows.conftest import ARGS, GEN, MB, Windows
from tests.windows.conversation import Recorder


def generated(size: int) -> bytes:
    """What gen.exe writes."""
    block = bytes((at * 2654435761 % 2**32) >> 24 for at in range(65536))
    if size <= 65536:
        return block[:size]
    # The pattern goes on: its multiplier is taken modulo 2**32, not 2**16.
    return bytes((at * 2654435761 % 2**32) >> 24 for at in range(size))


@pytest.mark.parametrize("size", [8192, 14_000, 40_000])
def test_input_that_nobody_reads_hangs_nothing(live: Windows, size: int) -> None:
    """S1: from 8192 bytes on the agent waited for the reader for ever."""
    assert live.exec("win", "--", "cmd", "/c", "ver", stdin=bytes(size))[0] == 0
    assert live("ping", "win").code == 0


def test_input_goes_by_a_file(win: Windows) -> None:
    """S1, as it was recorded: never in a request to start a program."""
    assert win.exec("win", "--", "cmd", "/c", "ver", stdin=b"x" * 8192)[0] == 0


def test_a_loop_gives_its_list_to_nobody(live: Windows, tmp_path: Path) -> None:
    """S1: `while read x; do qga exec ...; done <list` passes the rest of the list as input."""
    text = b"first\n" + b"x" * 14_000
    assert live.exec("win", "--", "cmd", "/c", "echo", "hello", stdin=text)[:2] == (0, b"hello\r\n")
    assert live("ping", "win").code == 0


CODES = {
    "0": (0, 0), "7": (7, 7), "255": (255, 255), "256": (255, 256), "-1": (255, 2**32 - 1),
    "-2": (255, 2**32 - 2), "-4": (255, 2**32 - 4), "-127": (255, 2**32 - 127),
    "-128": (255, 2**32 - 128), "0xC0000005": (255, 0xC0000005), "0x80000000": (255, 0x80000000),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("code", CODES)
def test_exit_codes_have_32_bits(win: Windows, code: str) -> None:
    """S2: -128 was success, -1 was "no such program"."""
    ran = win("exec", "-o", "json", "win", "--", GEN, "0", "0", code)
    told = json.loads(ran.out)
    assert (ran.code, told["exitcode"], told["signal"]) == (*CODES[code], None)
    assert told["origin"] == "guest"


def test_output_is_told_in_pieces(live: Windows, tmp_path: Path) -> None:
    """S3: it came as one reply of any size, which ends an agent's link through libvirt."""
    recorder = Recorder(live.agent)
    fake = FakeAgent(tmp_path / "between.sock", recorder)
    ran = qga("-c", fake.uri, "exec", "win", "--", GEN, str(6 * MB), str(3 * MB), env=live.env)
    fake.close()
    recorder.close()
    assert (ran.code, len(ran.stdout), len(ran.stderr)) == (0, 6 * MB, 3 * MB)
    assert ran.stdout[: 3 * MB] == ran.stderr
    assert ran.stdout[:65536] == generated(65536)
    assert recorder.largest < 2**20


def test_a_hundred_megabytes_out(live: Windows, tmp_path: Path) -> None:
    recorder = Recorder(live.agent)
    between = FakeAgent(tmp_path / "between.sock", recorder)
    words = ("exec", "win", "--", GEN, str(100 * MB))
    ran = qga("-c", between.uri, *words, env=live.env, timeout=300)
    between.close()
    recorder.close()
    assert (ran.code, len(ran.stdout)) == (0, 100 * MB)
    assert recorder.largest < 2**20
    again = live(*words, timeout=300)
    assert hashlib.sha256(again.stdout).digest() == hashlib.sha256(ran.stdout).digest()
    assert live("ping", "win").code == 0
    assert live.left() == ([], [])


def test_twenty_megabytes_in(live: Windows) -> None:
    data = os.urandom(20 * MB)
    words = ("win", "--", "C:\\windows\\system32\\tar.exe", "-xOf", "-")
    folder = live.drive / "data"
    (folder / "x").write_bytes(data)
    archive = subprocess.check_output(["tar", "-C", folder, "-c", "x"])
    ran = live("exec", *words, stdin=archive, timeout=300)
    assert ran.code == 0, ran.err
    assert ran.stdout == data
    assert live("ping", "win").code == 0


def test_the_words_arrive_as_they_are(win: Windows, tmp_path: Path) -> None:
    """S9, S10: glib drops empty words, and cmd reads quotes and percent signs as its own.

    The audit file has them as they were given, for the call itself only names a batch file.
    """
    words = ["", "a b", 'say "hi"', "back\\", "back \\", '\\"', "100%", "%OS%", "50 %OS% off",
             "a&b", "a|b", "<in>", "^x^", "(y)", "!OS!", "a,b;c=d", "'", "*", "a\tb",
             "Grüße", "日本 語", "😀", 'Ü"& b']  # fmt: skip
    log = tmp_path / "log"
    code, out, err = win.exec("--audit", str(log), "win", "--", ARGS, *words)
    assert (code, err) == (0, "")
    assert out.decode() == "".join(f"[{word}]\n" for word in words)
    assert programs(log) == [[ARGS, *words]]


def test_a_line_break_is_refused_with_the_way_that_works(win: Windows) -> None:
    code, _, err = win.exec("win", "--", ARGS, "two\nlines")
    assert code == 2
    assert "line break" in err
    assert "qga script" in err


def test_what_is_too_long_is_refused_with_the_way_that_works(win: Windows) -> None:
    code, _, err = win.exec("win", "--", ARGS, "x" * 9000)
    assert code == 2
    assert "8,000" in err
    assert "qga script" in err


def test_a_line_for_cmd_is_cmds(win: Windows) -> None:
    """S10: its quotes reached cmd as \\"."""
    win_ini = b"[mail]\r\nmapi=1\r\n"
    line = 'type "C:\\windows\\win.ini"'
    assert win.exec("win", "--", "cmd", "/c", line)[:2] == (0, win_ini)
    assert win.exec("win", "--", "cmd", "/c", "type", "C:\\windows\\win.ini")[:2] == (0, win_ini)
    line = "echo one & echo %OS%"
    assert win.exec("win", "--", "cmd", "/c", line)[:2] == (0, b"one \r\nWindows_NT\r\n")


def test_what_is_not_there_is_told(win: Windows) -> None:
    code, _, err = win.exec("win", "--", "nosuch")
    assert (code, "no program 'nosuch'" in err) == (127, True)
    code, _, err = win.exec("win", "--", "C:\\no\\such.exe")
    assert (code, "such.exe" in err) == (127, True)
    code, _, err = win.exec("win", "--", "dir")
    assert code == 127
    assert "cmd /c dir" in err
    assert win.exec("win", "--", "C:\\windows")[0] == 126
    assert win.exec("win", "--", "")[0] == 2


def test_variables_and_folder(win: Windows) -> None:
    around = ("-e", 'A=b "c" %OS% &x', "-e", "os=other", "-w", "C:\\Program Files")
    words = ("win", "--", "cmd", "/c", "cd&set A&echo %OS%")
    code, out, err = win.exec(*around, *words)
    assert (code, err) == (0, "")
    lines = out.decode().split("\r\n")
    assert lines[0] == "C:\\Program Files"
    assert lines[1] == 'A=b "c" %OS% &x'
    assert lines[-2] == "other"
    assert "QGA_" not in out.decode()


def test_a_folder_that_is_not_there(win: Windows) -> None:
    code, _, err = win.exec("-w", "C:\\nosuch", "win", "--", ARGS)
    assert code == 125
    assert "C:\\nosuch" in err


def test_another_user_is_refused_in_plain_words(win: Windows) -> None:
    code, _, err = win.exec("-u", "bob", "win", "--", ARGS)
    assert code == 125
    assert "password" in err


def test_a_program_left_running(win: Windows) -> None:
    """S7: exec -d did not work at all."""
    started = win("exec", "-d", "win", "--", GEN, "10", "0", "0xC0000005")
    assert started.code == 0
    ran = win("exec-status", "--wait", "win", started.out.strip())
    assert (ran.code, ran.err) == (255, "")


def test_exec_status_tells_the_whole_code(win: Windows, tmp_path: Path) -> None:
    """S2."""
    log, words = tmp_path / "log", [GEN, "10", "0", "-128"]
    pid = win("exec", "-d", "--audit", str(log), "win", "--", *words).out.strip()
    assert programs(log) == [words]
    ran = win("exec-status", "--wait", "-o", "json", "win", pid)
    assert json.loads(ran.out)["exitcode"] == 2**32 - 128
    assert ran.code == 255


def test_words_of_a_batch_file(live: Windows) -> None:
    """S20: what follows an & ran as a command of its own. (wine expands %OS% there.)"""
    script = live.drive / "data" / "show.cmd"
    script.write_bytes(b"@C:\\args.exe %*\r\n")
    words = ["a&ver", "b|ver", "c d", "^e"]
    code, out, err = live.exec("win", "--", "C:\\data\\show.cmd", *words)
    assert (code, err) == (0, "")
    assert out.decode().splitlines() == [f"[{word}]" for word in words]
    script.unlink()
