# fish completion of qga. Written by `make gen` from the command records: do not edit.

# Options that several commands have, and the sets that commands have of them.
set -g __qga_common0 \
    '--connect=uri'\t'Host: a libvirt URI, unix:PATH, vsock:CID:PORT, or pve' \
    '-c=uri'\t'Host: a libvirt URI, unix:PATH, vsock:CID:PORT, or pve' \
    '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
    '--audit=host-path'\t'Append a JSON line for each agent call, and one for the command, to this file' \
    '--verbose'\t'Say what is done; -vv each agent call, -vvv its JSON' \
    '-v'\t'Say what is done; -vv each agent call, -vvv its JSON'
set -g __qga_common1 \
    '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format'
set -g __qga_common2 \
    '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format'
set -g __qga_common3 \
    '--timeout=text'\t'Give up after this time, for example 30s or 5m'
set -g __qga_common4 \
    '--help'\t'Show help'
set -g __qga_common5 \
    '--label=text'\t'Only guests whose title or metadata matches' \
    '--state=|running|paused|suspended|shut-off|crashed|all'\t'Only guests in this state (default for patterns: running; list, top, metrics, exporter: all)' \
    '--parallel=text'\t'How many guests at a time' \
    '-j=text'\t'How many guests at a time'
set -g __qga_common6 \
    '-l=text'\t'Only guests whose title or metadata matches'
set -g __qga_common7 \
    '--fail-fast'\t'Start no further guest after one has failed' \
    '--as-completed'\t'Print each guest when it is done, not in order'
set -g __qga_common8 \
    '--gather'\t'Print equal outputs once, under the names of their guests'
set -g __qga_common9 \
    '--help'\t'Show this command\'s help'
set -g __qga_common10 \
    '--channel=|auto|always|never'\t'Whether bytes travel through ports plugged into the guest'
set -g __qga_common11 \
    '--recursive'\t'Accepted for scp\'s sake: folders are copied anyway' \
    '-r'\t'Accepted for scp\'s sake: folders are copied anyway' \
    '--preserve'\t'Keep mode, owner and time of change' \
    '-p'\t'Keep mode, owner and time of change' \
    '--mode=text'\t'Permissions of the copied files, octal' \
    '--owner=text'\t'Owner of the copied files' \
    '--dereference'\t'Copy what symbolic links point to' \
    '-L'\t'Copy what symbolic links point to' \
    '--quiet'\t'No progress bar' \
    '-q'\t'No progress bar' \
    '--resume'\t'Continue an interrupted copy from where both ends are equal' \
    '--compress=|none|auto|gzip'\t'Compress in transit; auto (default into a guest): if faster' \
    '--no-verify'\t'Do not compare checksums at both ends' \
    '--special'\t'Let copies of a guest\'s files keep set-user-ID bits' \
    '--max-size=text'\t'Take at most this many bytes from a guest'
set -g __qga_common12 \
    '--output=|table|json|jsonl|yaml|csv|tsv'\t'Output format' \
    '-o=|table|json|jsonl|yaml|csv|tsv'\t'Output format'
set -g __qga_common13 \
    '--no-header'\t'Leave the header line out'
set -g __qga_common14 \
    '--watch=text'\t'Ask again at this interval, for example 2s; Ctrl-C ends it'
set -g __qga_common15 \
    '--env=text'\t'Set a variable; NAME alone copies it from here' \
    '-e=text'\t'Set a variable; NAME alone copies it from here' \
    '--env-file=host-path'\t'Set the variables of this file' \
    '--clean-env'\t'Start from PATH, HOME, LANG and TERM alone' \
    '--workdir=guest-path'\t'Directory to run in' \
    '-w=guest-path'\t'Directory to run in' \
    '--user=user'\t'User to run as, and group' \
    '-u=user'\t'User to run as, and group' \
    '--no-stdin'\t'Do not read standard input' \
    '-n'\t'Do not read standard input' \
    '--kill-after=text'\t'Time from SIGTERM to SIGKILL'
set -g __qga_set0 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common4
set -g __qga_set1 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9
set -g __qga_set2 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common10
set -g __qga_set3 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common10 $__qga_common15
set -g __qga_set4 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common13
set -g __qga_set5 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common13 $__qga_common14
set -g __qga_set6 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common9
set -g __qga_set7 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common9 $__qga_common10
set -g __qga_set8 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common9 $__qga_common10 $__qga_common11
set -g __qga_set9 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common9
set -g __qga_set10 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common9
set -g __qga_set11 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common3 $__qga_common9 $__qga_common10
set -g __qga_set12 $__qga_common0 $__qga_common1 $__qga_common2 $__qga_common5 $__qga_common6 $__qga_common9
set -g __qga_set13 $__qga_common0 $__qga_common1 $__qga_common3 $__qga_common9 $__qga_common10
set -g __qga_set14 $__qga_common0 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9
set -g __qga_set15 $__qga_common0 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common12
set -g __qga_set16 $__qga_common0 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common7 $__qga_common8 $__qga_common9 $__qga_common12 $__qga_common13 $__qga_common14
set -g __qga_set17 $__qga_common0 $__qga_common3 $__qga_common5 $__qga_common6 $__qga_common9 $__qga_common12 $__qga_common13 $__qga_common14
set -g __qga_set18 $__qga_common0 $__qga_common3 $__qga_common5 $__qga_common7 $__qga_common9 $__qga_common12 $__qga_common13 $__qga_common14
set -g __qga_set19 $__qga_common0 $__qga_common3 $__qga_common9 $__qga_common12 $__qga_common13 $__qga_common14
set -g __qga_set20 $__qga_common0 $__qga_common5 $__qga_common6 $__qga_common9
set -g __qga_set21 $__qga_common0 $__qga_common5 $__qga_common6 $__qga_common9 $__qga_common12 $__qga_common13 $__qga_common14

# What goes on from `qga $argv`: +NAME for a command, -NAME[=KIND] for an option, KIND
# for what comes besides; a remark after a tab.
function __qga_table
    switch "$argv"
        case ''
            printf '%s\n' \
                '+batch'\t'Send commands from standard input, one on each line' \
                '+cat'\t'Print files of guests' \
                '+completion'\t'Print the completion script for a shell' \
                '+config'\t'Configuration: what is set, and where' \
                '+connect'\t'Connect standard input and output to an address that the guest can reach' \
                '+cp'\t'Copy files between this host and guests' \
                '+cpu'\t'Processors: list, switch on and off, statistics, load' \
                '+disk'\t'Disks: partitions, bus and serial, statistics' \
                '+doctor'\t'Find out why a guest\'s agent does not answer, and fix what can be fixed' \
                '+edit'\t'Edit a guest\'s file with an editor of this host' \
                '+exec'\t'Run a program in the guest and pass its exit code on' \
                '+exec-status'\t'Show what became of a program started in the guest' \
                '+exporter'\t'Serve what guests tell about themselves to Prometheus, over HTTP' \
                '+file'\t'Open files of the guest, by handle: open, read, write, seek, flush, close' \
                '+forward'\t'Forward ports of this host into the guest, or of the guest to this host' \
                '+fs'\t'Filesystems: list, freeze, thaw, trim' \
                '+help'\t'Open the manual page of a command or a topic' \
                '+info'\t'Show the agent\'s version and the state of each command' \
                '+list'\t'List the guests with their agents, systems and addresses' \
                '+ls'\t'List a folder of a guest' \
                '+memory'\t'Memory blocks: list, switch on and off, size' \
                '+metrics'\t'Print what guests tell about themselves, as Prometheus reads it' \
                '+mkdir'\t'Make folders in guests' \
                '+mv'\t'Rename files within a guest' \
                '+net'\t'Network: interfaces and routes' \
                '+os'\t'Operating system: release, host name, time zone, devices' \
                '+ping'\t'Check that the guest\'s agent answers' \
                '+power'\t'Power: shut down, reboot, suspend' \
                '+pull'\t'Copy files from guests: `cp` by another name' \
                '+push'\t'Copy files to guests: `cp` by another name' \
                '+raw'\t'Send any command to the agent and print its reply as it comes' \
                '+rm'\t'Remove files of guests' \
                '+rsh'\t'Run a line in the guest\'s shell as ssh does, for what calls ssh' \
                '+script'\t'Run a script of the host in the guest' \
                '+shell'\t'Open a login shell in the guest, on a terminal' \
                '+ssh'\t'SSH keys of the guest\'s users: list, add, remove' \
                '+sync'\t'Check that the agent answers this call, not an earlier one' \
                '+sync-delimited'\t'Reset the agent\'s parser and check that it answers this call' \
                '+tail'\t'Print the end of a guest\'s file; -f follows it' \
                '+time'\t'The guest\'s clock: read and set' \
                '+top'\t'Watch the guests: processor, memory, load, disks, network, freeze' \
                '+user'\t'Users of the guest: who is logged in, passwords' \
                '+wait'\t'Wait until guests, or something in them, are ready' $__qga_set0
        case 'config'
            printf '%s\n' \
                '+show'\t'Show every setting, and the file and line or the variable it comes from' $__qga_set0
        case 'cpu'
            printf '%s\n' \
                '+list'\t'List the guest\'s processors and which are online' \
                '+load'\t'Show the guest\'s load averages' \
                '+set'\t'Switch processors of the guest on and off' \
                '+stats'\t'Show what the guest\'s processors have spent their time on' $__qga_set0
        case 'disk'
            printf '%s\n' \
                '+list'\t'List disks and partitions, with bus, address and serial' \
                '+stats'\t'Show how much the guest\'s disks have read and written' $__qga_set0
        case 'file'
            printf '%s\n' \
                '+close'\t'Close a file in the guest' \
                '+flush'\t'Write what the agent has buffered for an open file' \
                '+open'\t'Open a file in the guest and print its handle' \
                '+read'\t'Read from an open file' \
                '+seek'\t'Move the position in an open file' \
                '+write'\t'Write standard input to an open file' $__qga_set0
        case 'fs'
            printf '%s\n' \
                '+freeze'\t'Freeze every freezable filesystem of the guest' \
                '+freeze-list'\t'Freeze some filesystems of the guest' \
                '+list'\t'List mounted filesystems and how full they are' \
                '+status'\t'Tell whether the guest\'s filesystems are frozen' \
                '+thaw'\t'Thaw the guest\'s frozen filesystems' \
                '+trim'\t'Give the unused blocks of filesystems back to the host' \
                '+with-frozen'\t'Run a host command while guests are frozen, and thaw them whatever happens' $__qga_set0
        case 'memory'
            printf '%s\n' \
                '+info'\t'Show the size of one memory block' \
                '+list'\t'List the guest\'s memory blocks and which are online' \
                '+set'\t'Switch memory blocks of the guest on and off' $__qga_set0
        case 'net'
            printf '%s\n' \
                '+address'\t'Print the address by which a guest can be reached' \
                '+interfaces'\t'List the guest\'s network interfaces and their addresses' \
                '+routes'\t'List the guest\'s routes' $__qga_set0
        case 'os'
            printf '%s\n' \
                '+devices'\t'List the guest\'s PCI devices and their drivers' \
                '+hostname'\t'Print the guest\'s host name' \
                '+info'\t'Show the guest\'s operating system and kernel' \
                '+timezone'\t'Print the guest\'s time zone' $__qga_set0
        case 'power'
            printf '%s\n' \
                '+shutdown'\t'Ask the guest to power off, halt or reboot' \
                '+suspend-disk'\t'Write the guest\'s memory to its disk and power off' \
                '+suspend-hybrid'\t'Suspend the guest, with a copy of its memory on its disk' \
                '+suspend-ram'\t'Suspend the guest, keeping its memory' $__qga_set0
        case 'ssh'
            printf '%s\n' \
                '+add'\t'Let SSH keys log in as a user' \
                '+config'\t'Print a part of ~/.ssh/config: ssh, scp, rsync reach guests without network' \
                '+list'\t'List the SSH keys that may log in as a user' \
                '+remove'\t'Remove SSH keys from a user' $__qga_set0
        case 'time'
            printf '%s\n' \
                '+get'\t'Show the guest\'s clock and how far it is off the host\'s' \
                '+set'\t'Set the guest\'s clock' $__qga_set0
        case 'user'
            printf '%s\n' \
                '+list'\t'List who is logged in to the guest, and since when' \
                '+set-password'\t'Set a user\'s password' $__qga_set0
        case 'batch'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'cat'
            printf '%s\n' $__qga_set7 \
                'place*'
        case 'completion'
            printf '%s\n' $__qga_set10 \
                '|bash|zsh|fish'
        case 'connect'
            printf '%s\n' $__qga_set2 \
                'guest' \
                'text'
        case 'cp'
            printf '%s\n' $__qga_set8 \
                'place*'
        case 'doctor'
            printf '%s\n' \
                '--fix'\t'Add a missing channel, replug a wedged one or that of an agent that does not run, thaw a frozen guest, unplug ports of qga\'s that nobody uses' \
                '--yes'\t'With --fix, do not ask' \
                '-y'\t'With --fix, do not ask' \
                '--columns=,check,verdict,finding,fix'\t'Columns of a table, tsv or csv: check, verdict, finding, fix' \
                '--sort=|check|verdict|finding|fix'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set16 \
                'guest'
        case 'edit'
            printf '%s\n' $__qga_set10 \
                'place'
        case 'exec'
            printf '%s\n' \
                '--detach'\t'Print the pid, leave it running' \
                '-d'\t'Print the pid, leave it running' \
                '--stdin'\t'Let it read what is typed here' \
                '-i'\t'Let it read what is typed here' \
                '--tty'\t'Give it this terminal' \
                '-t'\t'Give it this terminal' \
                '--escape=text'\t'With -t: key of ~. and ~?, or none' $__qga_set3 \
                'guest' \
                'words*'
        case 'exec-status'
            printf '%s\n' \
                '--wait'\t'Wait for its end; its output and exit code become those of qga' \
                '--columns=,exited,exitcode,signal,stdout,stderr'\t'Columns of a table, tsv or csv: exited, exitcode, signal, stdout, stderr' \
                '--sort=|exited|exitcode|signal|stdout|stderr'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest' \
                'pid'
        case 'exporter'
            printf '%s\n' \
                '--listen=text'\t'Where to listen: for this host alone, unless you say otherwise' \
                '--keep=text'\t'Ask no guest more often than this' \
                '--all-filesystems'\t'Those too that are always full, such as squashfs and iso9660' \
                '--timeout=text'\t'Time limit for each guest, and for each host' $__qga_set12 \
                'guest'
        case 'forward'
            printf '%s\n' \
                '--reverse=text'\t'Port of the guest, and where it leads from this host' \
                '-R=text'\t'Port of the guest, and where it leads from this host' $__qga_set2 \
                'guest' \
                'text*' \
                'words*'
        case 'help'
            printf '%s\n' $__qga_set10 \
                '|batch|cat|completion|config|connect|cp|cpu|disk|doctor|edit|exec|exec-status|exporter|file|forward|fs|help|info|list|ls|memory|metrics|mkdir|mv|net|os|ping|power|pull|push|raw|rm|rsh|script|shell|ssh|sync|sync-delimited|tail|time|top|user|wait|options|configuration|targets|output|exit-codes|transports*'
        case 'info'
            printf '%s\n' \
                '--columns=,wire,command,state,agent'\t'Columns of a table, tsv or csv: wire, command, state, agent' \
                '--sort=|wire|command|state|agent'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'list'
            printf '%s\n' \
                '--columns=,vm,state,agent,version,os,load,addresses'\t'Columns of a table, tsv or csv: vm, state, agent, version, os, load, addresses' \
                '--sort=|vm|state|agent|version|os|load|addresses'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set17 \
                'guest'
        case 'ls'
            printf '%s\n' \
                '--long'\t'Mode, owner, group, size and time too' \
                '-l'\t'Mode, owner, group, size and time too' \
                '--human-readable'\t'Sizes such as 1.5K in a pipe too' \
                '-h'\t'Sizes such as 1.5K in a pipe too' \
                '--all'\t'Names that begin with a dot too' \
                '-a'\t'Names that begin with a dot too' \
                '--columns=,mode,owner,group,size,modified,name,target'\t'Columns of a table, tsv or csv: mode, owner, group, size, modified, name, target' \
                '--sort=|mode|owner|group|size|modified|name|target'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set18 \
                'place'
        case 'metrics'
            printf '%s\n' \
                '--write=host-path'\t'Write it to this file in one step, for node_exporter' \
                '--all-filesystems'\t'Those too that are always full, such as squashfs and iso9660' \
                '--timeout=text'\t'Time limit for each guest, and for each host' \
                '--output=|raw|json|jsonl|yaml'\t'The text that Prometheus reads (raw), or each sample' \
                '-o=|raw|json|jsonl|yaml'\t'The text that Prometheus reads (raw), or each sample' $__qga_set20 \
                'guest'
        case 'mkdir'
            printf '%s\n' \
                '--parents'\t'Missing parents too; no error if it is there' \
                '-p'\t'Missing parents too; no error if it is there' $__qga_set6 \
                'place*'
        case 'mv'
            printf '%s\n' $__qga_set6 \
                'place*'
        case 'ping'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'pull'
            printf '%s\n' $__qga_set8 \
                'place*'
        case 'push'
            printf '%s\n' $__qga_set8 \
                'place*'
        case 'raw'
            printf '%s\n' \
                '--pretty'\t'Indent the reply' \
                '--output=|raw|json|jsonl|yaml'\t'The whole reply as it comes (raw), or its `return`' \
                '-o=|raw|json|jsonl|yaml'\t'The whole reply as it comes (raw), or its `return`' $__qga_set14 \
                'guest' \
                '|guest-exec|guest-exec-status|guest-file-close|guest-file-flush|guest-file-open|guest-file-read|guest-file-seek|guest-file-write|guest-fsfreeze-freeze|guest-fsfreeze-freeze-list|guest-fsfreeze-status|guest-fsfreeze-thaw|guest-fstrim|guest-get-cpustats|guest-get-devices|guest-get-disks|guest-get-diskstats|guest-get-fsinfo|guest-get-host-name|guest-get-load|guest-get-memory-block-info|guest-get-memory-blocks|guest-get-osinfo|guest-get-time|guest-get-timezone|guest-get-users|guest-get-vcpus|guest-info|guest-network-get-interfaces|guest-network-get-route|guest-ping|guest-set-memory-blocks|guest-set-time|guest-set-user-password|guest-set-vcpus|guest-shutdown|guest-ssh-add-authorized-keys|guest-ssh-get-authorized-keys|guest-ssh-remove-authorized-keys|guest-suspend-disk|guest-suspend-hybrid|guest-suspend-ram|guest-sync|guest-sync-delimited' \
                'text*'
        case 'rm'
            printf '%s\n' \
                '--recursive'\t'Folders, with all that is in them' \
                '-r'\t'Folders, with all that is in them' \
                '--force'\t'No error for what is not there' \
                '-f'\t'No error for what is not there' $__qga_set6 \
                'place*'
        case 'rsh'
            printf '%s\n' \
                '--login=text'\t'User, if not given as USER@VM' \
                '-l=text'\t'User, if not given as USER@VM' \
                '--option=text'\t'An option of ssh\'s: User, SendEnv, SetEnv; others that are harmless are ignored' \
                '-o=text'\t'An option of ssh\'s: User, SendEnv, SetEnv; others that are harmless are ignored' \
                '--subsystem'\t'The word is a subsystem: sftp' \
                '-s'\t'The word is a subsystem: sftp' \
                '--tty'\t'A terminal, if ours is one' \
                '-t'\t'A terminal, if ours is one' \
                '--no-stdin'\t'No standard input' \
                '-n'\t'No standard input' \
                '--port=text'\t'Ignored' \
                '-p=text'\t'Ignored' \
                '--identity=text'\t'Ignored' \
                '-i=text'\t'Ignored' \
                '--config=text'\t'Ignored' \
                '-F=text'\t'Ignored' \
                '--ipv4'\t'Ignored' \
                '-4'\t'Ignored' \
                '--ipv6'\t'Ignored' \
                '-6'\t'Ignored' \
                '--compress'\t'Ignored' \
                '-C'\t'Ignored' \
                '--quiet'\t'Ignored' \
                '-q'\t'Ignored' \
                '--no-tty'\t'No terminal, which is the default' \
                '-T'\t'No terminal, which is the default' \
                '--no-x11'\t'Ignored: nothing is forwarded' \
                '-x'\t'Ignored: nothing is forwarded' \
                '--no-agent'\t'Ignored: nothing is forwarded' \
                '-a'\t'Ignored: nothing is forwarded' $__qga_set13 \
                'words-here*'
        case 'script'
            printf '%s\n' $__qga_set3 \
                'guest' \
                'host-path' \
                'words*'
        case 'shell'
            printf '%s\n' \
                '--user=user'\t'Whose shell' \
                '-u=user'\t'Whose shell' \
                '--escape=text'\t'First key of ~. (end) and ~? (help); none for no such keys' $__qga_set2 \
                'guest'
        case 'sync'
            printf '%s\n' \
                '--id=text'\t'Number to echo; a random one by default' $__qga_set1 \
                'guest'
        case 'sync-delimited'
            printf '%s\n' \
                '--id=text'\t'Number to echo; a random one by default' $__qga_set1 \
                'guest'
        case 'tail'
            printf '%s\n' \
                '--lines=text'\t'How many lines' \
                '-n=text'\t'How many lines' \
                '--follow'\t'Go on with what is appended, across rotation and truncation' \
                '-f'\t'Go on with what is appended, across rotation and truncation' $__qga_set6 \
                'place'
        case 'top'
            printf '%s\n' \
                '--every=text'\t'Time from one question to the next' \
                '-d=text'\t'Time from one question to the next' \
                '--timeout=text'\t'Time limit for each guest, and for each host' \
                '--columns=,vm,state,agent,frozen,cpu%,memory,memory-total,load,full%,mountpoint,received,sent,read,written'\t'Columns of a table, tsv or csv: vm, state, agent, frozen, cpu%, memory, memory-total, load, full%, mountpoint, received, sent, read, written' \
                '--sort=|vm|state|agent|frozen|cpu%|memory|memory-total|load|full%|mountpoint|received|sent|read|written'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set21 \
                'guest'
        case 'wait'
            printf '%s\n' \
                '--for=|agent|exec|ip|file:|port:|thawed|stopped'\t'What to wait for: agent, exec, ip, file:PATH, port:N, thawed, stopped' \
                '--timeout=text'\t'Give up after this time' \
                '--columns=,vm,ready,seconds,reason'\t'Columns of a table, tsv or csv: vm, ready, seconds, reason' \
                '--sort=|vm|ready|seconds|reason'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set21 \
                'guest*'
        case 'config show'
            printf '%s\n' \
                '--columns=,setting,value,origin'\t'Columns of a table, tsv or csv: setting, value, origin' \
                '--sort=|setting|value|origin'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set19
        case 'cpu list'
            printf '%s\n' \
                '--columns=,cpu,online,can-offline'\t'Columns of a table, tsv or csv: cpu, online, can-offline' \
                '--sort=|cpu|online|can-offline'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'cpu load'
            printf '%s\n' \
                '--columns=,load1m,load5m,load15m'\t'Columns of a table, tsv or csv: load1m, load5m, load15m' \
                '--sort=|load1m|load5m|load15m'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'cpu set'
            printf '%s\n' $__qga_set1 \
                'guest' \
                'text*'
        case 'cpu stats'
            printf '%s\n' \
                '--columns=,cpu,user,nice,system,idle,iowait,irq,softirq,steal,guest,guestnice'\t'Columns of a table, tsv or csv: cpu, user, nice, system, idle, iowait, irq, softirq, steal, guest, guestnice' \
                '--sort=|cpu|user|nice|system|idle|iowait|irq|softirq|steal|guest|guestnice'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'disk list'
            printf '%s\n' \
                '--columns=,disk,type,bus,pci,unit,serial,alias,parents,target,worn%'\t'Columns of a table, tsv or csv: disk, type, bus, pci, unit, serial, alias, parents, target, worn%' \
                '--sort=|disk|type|bus|pci|unit|serial|alias|parents|target|worn%'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'disk stats'
            printf '%s\n' \
                '--columns=,disk,reads,read,writes,written,discarded,flushes,running,busy,read-time,write-time,discard-time,flush-time,queue-time,discards,reads-merged,writes-merged,discards-merged,major,minor'\t'Columns of a table, tsv or csv: disk, reads, read, writes, written, discarded, flushes, running, busy, read-time, write-time, discard-time, flush-time, queue-time, discards, reads-merged, writes-merged, discards-merged, major, minor' \
                '--sort=|disk|reads|read|writes|written|discarded|flushes|running|busy|read-time|write-time|discard-time|flush-time|queue-time|discards|reads-merged|writes-merged|discards-merged|major|minor'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'file close'
            printf '%s\n' $__qga_set1 \
                'guest' \
                'text'
        case 'file flush'
            printf '%s\n' $__qga_set1 \
                'guest' \
                'text'
        case 'file open'
            printf '%s\n' \
                '--mode=|r|w|a|r+|w+|a+|rb|wb|ab|rb+|wb+|ab+'\t'As in fopen(3), r by default' $__qga_set1 \
                'guest' \
                'guest-path'
        case 'file read'
            printf '%s\n' \
                '--count=text'\t'Bytes to read at most; 4096 by default, up to 48M' \
                '--columns=,count,eof,data'\t'Columns of a table, tsv or csv: count, eof, data' \
                '--sort=|count|eof|data'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest' \
                'text'
        case 'file seek'
            printf '%s\n' \
                '--whence=|set|cur|end'\t'From the beginning, the position, or the end' \
                '--columns=,position,eof'\t'Columns of a table, tsv or csv: position, eof' \
                '--sort=|position|eof'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest' \
                'text' \
                'text'
        case 'file write'
            printf '%s\n' \
                '--count=text'\t'Write only so many of them' \
                '--columns=,count,eof'\t'Columns of a table, tsv or csv: count, eof' \
                '--sort=|count|eof'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest' \
                'text'
        case 'fs freeze'
            printf '%s\n' \
                '--for=text'\t'Thaw after this time, even if qga or the shell has been killed' $__qga_set1 \
                'guest'
        case 'fs freeze-list'
            printf '%s\n' \
                '--for=text'\t'Thaw after this time, even if qga or the shell has been killed' $__qga_set1 \
                'guest' \
                'mountpoint*'
        case 'fs list'
            printf '%s\n' \
                '--fillable'\t'Leave out what is always full, such as squashfs and iso9660' \
                '--columns=,mountpoint,device,type,used,total,used%,fills,disks'\t'Columns of a table, tsv or csv: mountpoint, device, type, used, total, used%, fills, disks' \
                '--sort=|mountpoint|device|type|used|total|used%|fills|disks'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'fs status'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'fs thaw'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'fs trim'
            printf '%s\n' \
                '--minimum=text'\t'Pass over free ranges smaller than this' \
                '--columns=,path,trimmed,minimum,error'\t'Columns of a table, tsv or csv: path, trimmed, minimum, error' \
                '--sort=|path|trimmed|minimum|error'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest'
        case 'fs with-frozen'
            printf '%s\n' \
                '--mountpoint=mountpoint'\t'Freeze this filesystem only' \
                '--max=text'\t'Longest time to stay frozen, the freezing included' $__qga_set9 \
                'guest*' \
                'words-here*'
        case 'memory info'
            printf '%s\n' \
                '--columns=,size'\t'Columns of a table, tsv or csv: size' \
                '--sort=|size'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'memory list'
            printf '%s\n' \
                '--columns=,block,online,can-offline'\t'Columns of a table, tsv or csv: block, online, can-offline' \
                '--sort=|block|online|can-offline'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'memory set'
            printf '%s\n' \
                '--columns=,block,response,error'\t'Columns of a table, tsv or csv: block, response, error' \
                '--sort=|block|response|error'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set4 \
                'guest' \
                'text*'
        case 'net address'
            printf '%s\n' \
                '--ipv4'\t'An IPv4 address only' \
                '-4'\t'An IPv4 address only' \
                '--ipv6'\t'An IPv6 address only' \
                '-6'\t'An IPv6 address only' \
                '--all'\t'All addresses of global scope, one on each line' $__qga_set15 \
                'guest'
        case 'net interfaces'
            printf '%s\n' \
                '--columns=,interface,mac,addresses,rx-bytes,tx-bytes,rx-packets,rx-errs,rx-dropped,tx-packets,tx-errs,tx-dropped'\t'Columns of a table, tsv or csv: interface, mac, addresses, rx-bytes, tx-bytes, rx-packets, rx-errs, rx-dropped, tx-packets, tx-errs, tx-dropped' \
                '--sort=|interface|mac|addresses|rx-bytes|tx-bytes|rx-packets|rx-errs|rx-dropped|tx-packets|tx-errs|tx-dropped'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'net routes'
            printf '%s\n' \
                '--columns=,destination,via,dev,metric,type,version,mtu,source,flags'\t'Columns of a table, tsv or csv: destination, via, dev, metric, type, version, mtu, source, flags' \
                '--sort=|destination|via|dev|metric|type|version|mtu|source|flags'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'os devices'
            printf '%s\n' \
                '--columns=,driver,version,date,device'\t'Columns of a table, tsv or csv: driver, version, date, device' \
                '--sort=|driver|version|date|device'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'os hostname'
            printf '%s\n' \
                '--columns=,hostname'\t'Columns of a table, tsv or csv: hostname' \
                '--sort=|hostname'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'os info'
            printf '%s\n' \
                '--columns=,pretty-name,id,name,version,version-id,variant,variant-id,kernel-release,kernel-version,machine'\t'Columns of a table, tsv or csv: pretty-name, id, name, version, version-id, variant, variant-id, kernel-release, kernel-version, machine' \
                '--sort=|pretty-name|id|name|version|version-id|variant|variant-id|kernel-release|kernel-version|machine'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'os timezone'
            printf '%s\n' \
                '--columns=,zone,offset'\t'Columns of a table, tsv or csv: zone, offset' \
                '--sort=|zone|offset'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'power shutdown'
            printf '%s\n' \
                '--mode=|powerdown|halt|reboot'\t'How; powerdown by default' $__qga_set1 \
                'guest'
        case 'power suspend-disk'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'power suspend-hybrid'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'power suspend-ram'
            printf '%s\n' $__qga_set1 \
                'guest'
        case 'ssh add'
            printf '%s\n' \
                '--reset'\t'Remove all other keys of the user' $__qga_set1 \
                'guest' \
                'user' \
                'key*'
        case 'ssh config'
            printf '%s\n' $__qga_set11
        case 'ssh list'
            printf '%s\n' \
                '--columns=,type,fingerprint,comment,options,key'\t'Columns of a table, tsv or csv: type, fingerprint, comment, options, key' \
                '--sort=|type|fingerprint|comment|options|key'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest' \
                'user'
        case 'ssh remove'
            printf '%s\n' $__qga_set1 \
                'guest' \
                'user' \
                'key*'
        case 'time get'
            printf '%s\n' \
                '--columns=,time,ahead-of-host'\t'Columns of a table, tsv or csv: time, ahead-of-host' \
                '--sort=|time|ahead-of-host'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'time set'
            printf '%s\n' $__qga_set1 \
                'guest' \
                'text'
        case 'user list'
            printf '%s\n' \
                '--columns=,user,domain,login,age'\t'Columns of a table, tsv or csv: user, domain, login, age' \
                '--sort=|user|domain|login|age'\t'Sort a table, tsv or csv by it; -COLUMN for descending' $__qga_set5 \
                'guest'
        case 'user set-password'
            printf '%s\n' \
                '--password-stdin'\t'Read the password from standard input' \
                '--password-file=host-path'\t'Read the password from this file' \
                '--crypted'\t'It is hashed already, as in /etc/shadow; not for Windows' $__qga_set1 \
                'guest' \
                'user'
    end
end

# The kind of value that option $argv[1] takes, by the table's lines after it; fails for a flag.
function __qga_option
    set -l name (string escape --style=regex -- $argv[1])
    string match -r --groups-only -- "^$name=([^\t]*)" $argv[2..]
end

# What completes the word under the cursor, a remark after a tab. The words before it are given where
# an alias among them has been spelled out.
function __qga_complete
    set -l words $argv
    set -q argv[1]; or set words (commandline -opc)[2..]
    set -l cur (commandline -ct)
    set cur (string unescape -- $cur; or string trim -lc "\"'" -- $cur)
    set -l table (__qga_table)
    set -l command
    set -l slots
    set -l loose 1
    set -l index 0
    set -l ended
    set -l value
    set -l start
    set -l before
    for word in $words
        set before $words[0..$index]
        set index (math $index + 1)
        if set -q value[1]
            set -e value
        else if not set -q ended[1]; and test "$word" = --
            set ended 1
            if string match -q -- '*\*' $slots[$loose]; and set -q slots[(math $loose + 1)]
                set loose (math $loose + 1)
            end
            set start $index
        else if not set -q ended[1]; and string match -qr -- '^-.' $word
            set value (__qga_option $word $table)
        else if string match -q -- '+*' $table
            if not string match -rq -- '^\+'(string escape --style=regex -- $word)'\t' $table
                set -q command[1]; or set -q argv[1]; and return
                set -l said (qga __complete alias-words $word 2>/dev/null)
                set -q said[1]; and __qga_complete $before $said $words[(math $index + 1)..]
                return
            end
            set -a command $word
            set table (__qga_table $command)
            set slots (string match -rv -- '^[+-]' $table)
        else
            string match -q -- '*\*' $slots[$loose]; or set loose (math $loose + 1)
            string match -q -- 'words*' $slots[$loose]; and set ended 1
        end
    end
    if set -q value[1]
        __qga_find $value "$cur" $words
    else if not set -q ended[1]; and string match -q -- '--*=*' $cur
        set -l name (string split -m1 -f1 = -- $cur)
        set value (__qga_option $name $table)
        and string replace -r -- '^(?=.)' $name= (__qga_find $value (string split -m1 -f2 = -- $cur) $words)
    else if not set -q ended[1]; and string match -q -- '-*' $cur
        string match -r -- '^-.*' $table | string replace -r '=[^\t]*' ''
    else if string match -q -- '+*' $table
        set -l names (string match -r --groups-only -- '^\+(.*)' $table)
        if set -q command[1]; or test -z "$cur"; or string match -q -- "$cur*" $names
            printf '%s\n' $names
        else
            qga __complete alias "$cur" 2>/dev/null
        end
    else if test "$slots[$loose]" = 'words-here*'; and set -q start[1]
        set -l rest $words[(math $start + 1)..]
        complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
    else
        __qga_find (string trim -rc '*' -- $slots[$loose]) "$cur" $words
    end
end

# What the value $argv[2] of kind $argv[1] may become, after the words that follow.
function __qga_find
    set -l value $argv[2]
    switch "$argv[1]"
        case '|*'
            string split -n '|' -- $argv[1]
        case ',*'
            set -l done (string match -r -- '^.*,' $value)
            for name in (string split -n , -- $argv[1])
                string match -q -- "*,$name,*" ",$done"; or echo "$done$name"
            end
        case uri
            printf '%s\n' qemu:///system qemu:///session unix: vsock:
            string match -q -- 'unix:*' $value
            and string replace -r '^' unix: (__fish_complete_path (string replace unix: '' -- $value))
        case key
            string match -q -- '@*' $value
            and string replace -r '^' @ (__fish_complete_path (string replace @ '' -- $value))
        case host-path
            __fish_complete_path $value
        case place
            string match -qr -- '^[./~-]' $value; or qga __complete $argv 2>/dev/null
            string match -q -- '*:*' $value; or __fish_complete_path $value
        case text words-here ''
        case '*'
            qga __complete $argv 2>/dev/null
    end
end

complete -c qga -f -k -a '(__qga_complete)'
