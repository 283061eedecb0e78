"""The verb `ssh config`."""

from qga_cli import spec
from qga_cli.spec import Command, Example

COMMAND = Command(
    "",
    "Print a part of ~/.ssh/config: ssh, scp, rsync reach guests without network",
    since="2.5",
    args=[spec.CHANNEL],
    run="network.ssh:config",
    scope="none",
    notes=(
        "After `qga ssh config >> ~/.ssh/config` the guest web1 is web1.qga for all that uses "
        "ssh: scp, sftp, rsync, git, Ansible, editors. It logs in with the guest's own users and "
        "keys (`qga ssh add VM USER @~/.ssh/id_ed25519.pub`), through `qga connect VM sshd`: a "
        "sshd of its own is started for each login, so that none need listen. The guest's host "
        "keys come through its agent and are noted anew at each login, in "
        "~/.local/state/qga/known_hosts: no "
        "question is asked, and nobody can stand between. -c and --channel become a part of what "
        "is printed."
    ),
    examples=[
        Example("qga ssh config >> ~/.ssh/config", "once; then `ssh root@web1.qga`"),
        Example("qga -c qemu+ssh://kvm2/system ssh config", "for guests of another host"),
    ],
)
