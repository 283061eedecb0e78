"""The verb `cp`."""

from qga_cli import spec
from qga_cli.spec import Arg, Command, Example

COMMAND = Command(
    "",
    "Copy files between this host and guests",
    since="0.15.0",
    args=[
        Arg("places", spec.PLACE, "Sources, and where to: VM:PATH, a path of this host, or -",
            positional=True, many=True, metavar="SRC... DST"),
        Arg("recursive", spec.FLAG, "Accepted for scp's sake: folders are copied anyway",
            short="-r"),
        Arg("preserve", spec.FLAG, "Keep mode, owner and time of change", short="-p"),
        Arg("mode", spec.TEXT, "Permissions of the copied files, octal", metavar="MODE"),
        Arg("owner", spec.TEXT, "Owner of the copied files", metavar="USER[:GROUP]"),
        Arg("dereference", spec.FLAG, "Copy what symbolic links point to", short="-L"),
        Arg("quiet", spec.FLAG, "No progress bar", short="-q"),
        Arg("resume", spec.FLAG, "Continue an interrupted copy from where both ends are equal"),
        Arg("compress", spec.CHOICE, "Compress in transit; auto (default into a guest): if faster",
            choices=("none", "auto", "gzip")),
        Arg("no-verify", spec.FLAG, "Do not compare checksums at both ends"),
        Arg("special", spec.FLAG, "Let copies of a guest's files keep set-user-ID bits"),
        Arg("max-size", spec.SIZE, "Take at most this many bytes from a guest"),
        spec.CHANNEL,
    ],
    run="files.cp:cp",
    scope="places",
    notes=(
        "The rules are those of docker cp. A file gets the name DST, or goes into DST if that is "
        "a folder. A folder gets the name DST if nothing has it yet, else it goes into the folder "
        "DST; SRC/. fills DST with what is in SRC, and so do SRC/.. and other paths that end in no "
        "name. Several sources need a folder, and a name each: two of one name are an error, "
        "unless both are folders, of which the second fills the first. Paths of a "
        "guest begin at its root; a path of this host that has a colon is written ./a:b. - is "
        "standard input or output.\n\n"
        "A slash at the end says that it is a folder, and changes nothing else; . and ./ are the "
        "same, and several slashes are one. .. after a symbolic link is the folder above the one "
        "that the link leads to.\n\n"
        "*, ? and [...] in a guest's SRC are looked up there, by its shell (quote them, or this "
        "host's shell does): 'web1:/etc/*.conf'. A file of just that name comes first; that "
        "nothing matches is an error. cat, tail, rm and mv take such patterns too.\n\n"
        "A file gets its name only when all of it has come and its SHA-512 is the same at both "
        "ends; until then it is .NAME.*.qga-part, beside it. After an interruption that stays, and "
        "--resume continues from where both ends are equal. A file that is replaced hands on its "
        "mode, owner, access list and security label, unless --mode or --owner says otherwise, "
        "which are for single files; a set-user-ID bit goes to the same owner only, and what "
        "another user has put into a folder such as /tmp hands nothing on. In a folder, files "
        "come with the mode they had. Otherwise access lists and extended attributes are not "
        "copied. Symbolic links are copied as links unless with -L; one at DST is replaced, or "
        "followed in a guest if DST names it. Holes stay holes. Files that change while they are "
        "read are an error; what is appended meanwhile is left out.\n\n"
        "A folder travels as one stream of tar, and so do several small files. From a guest, "
        "nothing is taken that leads out of DST, no device, and no set-user-ID bit without "
        "--special. A tar that is not GNU's (busybox's) goes by names, so there a tree in which "
        "others can write is refused, unless -L follows all links anyhow.\n\n"
        "On the way to a file of this host, symbolic links of yours and of root's are followed, "
        "unless they lie in another user's folder. Another user's leads only to what is his, and "
        "is an error otherwise: type the path that it says.\n\n"
        "Through ports nothing is compressed in transit, unless with --compress gzip. By agent "
        "calls, what goes into a guest is compressed if its first megabyte compresses well and "
        "the guest has gzip. What comes out of a guest is not, unless --compress asks for it: "
        "with auto the guest tries a part first.\n\n"
        "Where policy forbids guest-exec, files are copied by the file commands alone: without "
        "folders, without -p, and into a guest straight to the final name. Where it forbids the "
        "file commands, all goes by guest-exec. -v tells which way is taken.\n\n"
        "With several guests ('web*':/etc/app.conf) as DST each gets the same; as SRC, what each "
        "sends goes into a folder of its name in DST. -j, --fail-fast and --as-completed "
        "are those of `exec`."
    ),
    examples=[
        Example("qga cp web1:/var/log/syslog .", "from a guest"),
        Example("qga cp -p nginx.conf web1:/etc/nginx/", "to a guest, with mode and times"),
        Example("qga cp --mode 600 --owner app:app key.pem web1:/etc/app/", "with an owner there"),
        Example("qga cp web1:/srv web2:/srv/copy", "from guest to guest"),
    ],
)  # fmt: skip
