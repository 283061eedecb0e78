"""A guest's tree brought to this host, as one tar stream."""

from __future__ import annotations

import hashlib

from qga_cli.errors import BadReply, FileError, Refused
from qga_cli.files.copy_file.packed import should_compress, worth_it_there
from qga_cli.files.copy_tree.extract import Extractor
from qga_cli.files.copy_tree.stage import Stage
from qga_cli.files.copy_tree.tar_reader import TarReader
from qga_cli.files.guest.access import Access
from qga_cli.files.guest.digest import digest_in
from qga_cli.files.guest.gzip import PACK, Unpacker
from qga_cli.format import printable
from qga_cli.inside import script

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from qga_cli.agent.program import Completed
    from qga_cli.files.copy_file.transfer import CopyOptions


def pull(
    access: Access,
    folder: str,
    name: str,
    final: str,
    options: CopyOptions,
    advance: Callable[[int], None],
    note: Callable[[str], None],
) -> None:
    """Bring `name` in the guest's `folder` (`.`: all of it) to `final`, which is replaced or
    filled. Nothing gets that name before all has come and is proven."""
    if not access.cmd:
        access.needs_exec("copying a folder")
    if f"{folder}/".startswith(("/proc/", "/sys/")):  # where no file says how long it is
        raise FileError(
            f"{folder}: tar finds nothing in the files of /proc and /sys",
            hint="copy single files, or `qga exec` a program that reads them",
        ).of(access.target)
    stage = Stage(final, resume=options.resume)
    try:
        extractor = Extractor(stage.folder, options, note, closed=stage.fills or name != ".")
        try:
            _receive(access, folder, name, options, extractor, advance, note)
        except OSError as error:  # the extractor's, which knows names inside the tree only
            inside = f"{printable(error.filename)}: " if isinstance(error.filename, str) else ""
            raise FileError(f"{final}: {inside}{error.strerror}") from error
        finally:
            extractor.close()
        try:
            if name != "." and not options.preserve:  # a file with holes
                stage.hand_on(name)
            stage.settle("" if name == "." else name)
        except OSError as error:  # of a name in a folder that is open
            raise FileError(f"{final}: {error.filename}: {error.strerror}") from error
    except BaseException:
        if left := stage.remove():
            note(f"{left} could not be removed")
        raise


def _receive(
    access: Access,
    folder: str,
    name: str,
    options: CopyOptions,
    extractor: Extractor,
    advance: Callable[[int], None],
    note: Callable[[str], None],
) -> None:
    reader = TarReader(extractor)
    digest = hashlib.sha512()

    def take(data: bytes) -> None:
        digest.update(data)
        reader.write(data)
        advance(len(data))

    if access.cmd:
        from qga_cli.windows.tree import has_tar, pack, said_by

        if not has_tar(access.cmd):
            from qga_cli.windows.file_by_file import pick

            pick(access.cmd, folder, extractor, advance, note, follow=options.follow)
            extractor.finish()
            return
        done = pack(access.agent, access.interrupt, folder, name, take, follow=options.follow)
        if done.code or not reader.complete:
            raise FileError(said_by(done)).of(access.target)
        extractor.finish()
        return
    words = (folder, name if name == "." else f"./{name}", "-h" if options.follow else "")
    wish = options.compress or "none"
    packed = should_compress(access, wish, lambda: worth_it_there(access, "sample_tree", *words))
    sink = Unpacker(take).write if packed else take
    pack_script = script("files/needs") + script("files/pack")
    by = PACK if packed else ""
    done = access.stream(pack_script, *words, by, stdout=sink, large=True)
    last = done.stderr.rstrip(b"\n").rpartition(b"\n")[2]
    if done.code or not reader.complete:
        raise _failure(access, done)
    if digest_in(last, access.agent) != digest.hexdigest():
        raise FileError("the archive that came is not the one that was sent").of(access.target)
    extractor.finish()


def _failure(access: Access, done: Completed) -> Exception:
    lines = done.stderr.decode("utf-8", "replace").splitlines()
    said = "; ".join([line for line in lines if "tar: " in line][:3])
    if done.code and not said:  # it has not come to tar
        return access.failure(done)
    said = said or "the archive ended too early"
    if done.code == 1:  # tar has read files while they changed
        changed = FileError(said, hint="copy it while nobody writes to it")
        return changed.of(access.target)
    return (Refused if done.code else BadReply)(said).of(access.target)
