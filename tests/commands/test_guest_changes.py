"""Commands that change a guest, run on one of its own; their effect is looked at from inside."""

import ctypes
import re
import time

from tests import lab
from tests.kit.command import qga, qga_tty
from tests.kit.in_guest import done, inside

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl"


def test_cpu_set(spare: lab.Guest) -> None:
    online = ("cat", "/sys/devices/system/cpu/online")
    assert done(spare, "cpu", "set", "VM", "1=off").out == "1\n"
    assert inside(spare, *online) == "0"
    assert "1\tfalse\ttrue" in done(spare, "cpu", "list", "VM").out
    ran = qga("cpu", "set", spare.name, "1=on", "9=off")
    assert ran.code == 1
    assert "cpu 9: " in ran.err
    assert "1 of 2 were set before" in ran.err
    assert inside(spare, *online) == "0-1"


def test_memory_set(spare: lab.Guest) -> None:
    rows = done(spare, "memory", "list", "VM", "--no-header").out.splitlines()
    blocks = [row.split("\t")[0] for row in rows][::-1]
    taken = next(b for b in blocks if qga("memory", "set", spare.name, f"{b}=off").code == 0)
    state = ("cat", f"/sys/devices/system/memory/memory{taken}/state")
    assert inside(spare, *state) == "offline"
    ran = qga("memory", "set", spare.name, f"{taken}=on", "4000=on")
    assert (ran.code, ran.err) == (1, "")
    assert ran.out.splitlines()[1:] == [
        f"{taken}\tsuccess\t-",
        "4000\tnot-found\tNo such file or directory",
    ]
    assert inside(spare, *state) == "online"


def test_time_set(spare: lab.Guest) -> None:
    year = ("date", "-u", "+%Y")
    done(spare, "time", "set", "VM", "2027-02-03T04:05:06Z")
    assert inside(spare, *year) == "2027"
    inside(spare, "date", "-s", "2031-01-01")
    done(spare, "time", "set", "VM")  # from the hardware clock, which was set too
    assert inside(spare, *year) == "2027"
    assert "2027-02-03T04:" in qga_tty("time", "get", spare.name).out
    done(spare, "time", "set", "VM", "now")
    assert inside(spare, *year) == time.strftime("%Y", time.gmtime())


def test_user_set_password(spare: lab.Guest) -> None:
    words = ("user", "set-password", "VM", "root", "--password-stdin")
    password = "correct horse \u00fc"
    done(spare, *words, stdin=password.encode() + b"\n")
    assert _crypt(password, _hash(spare)) == _hash(spare)
    assert _crypt("wrong", _hash(spare)) != _hash(spare)
    hashed = "$6$salt$" + "x" * 86
    done(spare, *words, "--crypted", stdin=hashed.encode())
    assert _hash(spare) == hashed
    ran = qga("user", "set-password", spare.name, "no:body", "--password-stdin", stdin=b"x")
    assert ran.code == 1
    assert "forbidden characters in username" in ran.err


def _hash(guest: lab.Guest) -> str:
    return inside(guest, "grep", "^root:", "/etc/shadow").split(":")[1]


def _crypt(password: str, salt: str) -> str:
    crypt = ctypes.CDLL("libcrypt.so.1").crypt
    crypt.restype = ctypes.c_char_p
    hashed: bytes = crypt(password.encode(), salt.encode())
    return hashed.decode()


def test_ssh_keys(spare: lab.Guest) -> None:
    file = ("cat", "/root/.ssh/authorized_keys")
    second, third = KEY[:-1] + "m", KEY[:-1] + "n"
    done(spare, "ssh", "add", "VM", "root", f"{KEY} a", f"{second} b")
    done(spare, "ssh", "add", "VM", "root", f"{second} b", f"{third} c")
    assert inside(spare, *file) == f"{KEY} a\n{second} b\n{third} c"
    assert inside(spare, "stat", "-c", "%a", "/root/.ssh", "/root/.ssh/authorized_keys") == (
        "700\n600"
    )
    listed = done(spare, "ssh", "list", "VM", "root", "--columns", "comment", "--no-header").out
    assert sorted(listed.split()) == ["a", "b", "c"]  # 7.2 begins with the newest
    done(spare, "ssh", "remove", "VM", "root", f"{second} b")
    assert inside(spare, *file) == f"{KEY} a\n{third} c"
    done(spare, "ssh", "add", "VM", "root", f"{KEY} d", "--reset")
    assert inside(spare, *file) == f"{KEY} d"
    ran = qga("ssh", "list", spare.name, "nobdy")
    assert (ran.code, ran.err) == (1, f"qga: {spare.name}: failed to lookup user 'nobdy'\n")


def test_disks_with_partitions(spare: lab.Guest) -> None:
    inside(spare, "umount", "/data")
    keys = "n\\np\\n1\\n\\n+64M\\nn\\np\\n2\\n\\n\\nw\\n"
    inside(spare, "sh", "-c", f"printf '{keys}' | busybox fdisk /dev/vdb")
    shown = qga_tty("disk", "list", spare.name, "--columns", "disk,type").out
    tree = re.sub(r"\x1b\[\d*m", "", shown)
    assert "├─/dev/vdb1  partition" in tree
    assert "└─/dev/vdb2  partition" in tree
