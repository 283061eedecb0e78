# fish completion of qga. Written by `make gen` from the command records: do not edit.

# What goes on from `qga $argv`: +NAME for a command, -NAME[=KIND] for an option, KIND
# for what comes besides; a remark behind a tab.
function __qga_table
    switch "$argv"
        case ''
            printf '%s\n' \
                '+completion'\t'Print the completion script for a shell' \
                '+exec'\t'Run a program in the guest and pass its exit code on' \
                '+exec-status'\t'Show what became of a program started in the guest' \
                '+fs'\t'Filesystems: list, freeze, thaw, trim' \
                '+help'\t'Open the manual page of a command or a topic' \
                '+info'\t'Show the agent\'s version and which commands it takes' \
                '+net'\t'Network: interfaces and routes' \
                '+os'\t'Operating system: release, host name, time zone, devices' \
                '+ping'\t'Check that the guest\'s agent answers' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show help'
        case 'fs'
            printf '%s\n' \
                '+freeze'\t'Freeze every freezable filesystem of the guest' \
                '+list'\t'List mounted filesystems and how full they are' \
                '+status'\t'Tell whether the guest\'s filesystems are frozen' \
                '+thaw'\t'Thaw the guest\'s frozen filesystems' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show help'
        case 'net'
            printf '%s\n' \
                '+interfaces'\t'List the guest\'s network interfaces and their addresses' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show help'
        case 'os'
            printf '%s\n' \
                '+info'\t'Show the guest\'s operating system and kernel' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show help'
        case 'completion'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show this command\'s help' \
                '|bash|zsh|fish'
        case 'exec'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--help'\t'Show this command\'s help' \
                'guest' \
                'words*'
        case 'exec-status'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--columns=,exited,exitcode,signal'\t'Columns to show, comma-separated' \
                '--no-header'\t'Leave the header line out' \
                '--sort=|exited|exitcode|signal'\t'Sort by this column; -COLUMN for descending' \
                '--help'\t'Show this command\'s help' \
                'guest' \
                'pid'
        case 'help'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--help'\t'Show this command\'s help' \
                '|completion|exec|exec-status|fs|help|info|net|os|ping|targets|output|exit-codes|transports*'
        case 'info'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--columns=,command,enabled,replies,version'\t'Columns to show, comma-separated' \
                '--no-header'\t'Leave the header line out' \
                '--sort=|command|enabled|replies|version'\t'Sort by this column; -COLUMN for descending' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'ping'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'fs freeze'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'fs list'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--columns=,mountpoint,device,type,used,total,use%,disks'\t'Columns to show, comma-separated' \
                '--no-header'\t'Leave the header line out' \
                '--sort=|mountpoint|device|type|used|total|use%|disks'\t'Sort by this column; -COLUMN for descending' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'fs status'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'fs thaw'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'net interfaces'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--columns=,interface,mac,addresses,rx-bytes,tx-bytes'\t'Columns to show, comma-separated' \
                '--no-header'\t'Leave the header line out' \
                '--sort=|interface|mac|addresses|rx-bytes|tx-bytes'\t'Sort by this column; -COLUMN for descending' \
                '--help'\t'Show this command\'s help' \
                'guest'
        case 'os info'
            printf '%s\n' \
                '--connect=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '-c=uri'\t'Host: a libvirt URI, unix:PATH, or vsock:CID:PORT' \
                '--output=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '-o=|table|json|jsonl|yaml|csv|tsv|raw'\t'Output format' \
                '--timeout=text'\t'Give up after this time, for example 30s or 5m' \
                '--explain'\t'Print what would be sent, and how virsh sends it; send nothing' \
                '--verbose'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '-v'\t'Tell the steps; -vv each agent call, -vvv its JSON' \
                '--parallel=text'\t'How many guests at a time' \
                '-j=text'\t'How many guests at a time' \
                '--fail-fast'\t'Begin no further guest after one has failed' \
                '--as-completed'\t'Print each guest when it is done, not in order' \
                '--columns=,pretty-name,id,name,version,version-id,variant,variant-id,kernel-release,kernel-version,machine'\t'Columns to show, comma-separated' \
                '--no-header'\t'Leave the header line out' \
                '--sort=|pretty-name|id|name|version|version-id|variant|variant-id|kernel-release|kernel-version|machine'\t'Sort by this column; -COLUMN for descending' \
                '--help'\t'Show this command\'s help' \
                'guest'
    end
end

# The kind of value that option $argv[1] takes, by the table's lines behind it; fails for a flag.
function __qga_option
    set -l name (string escape --style=regex -- $argv[1])
    string match -r --groups-only -- "^$name=([^\t]*)" $argv[2..]
end

# What completes the word under the cursor, a remark behind a tab.
function __qga_complete
    set -l words (commandline -opc)[2..]
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
    for word in $words
        set index (math $index + 1)
        if set -q value[1]
            set -e value
        else if not set -q ended[1]; and test "$word" = --
            set ended 1
            if string match -q -- '*\*' $slots[$loose]; and set -q slots[(math $loose + 1)]
                set loose (math $loose + 1)
            end
            set start $index
        else if not set -q ended[1]; and string match -q -- '-?*' $word
            set value (__qga_option $word $table)
        else if string match -q -- '+*' $table
            string match -rq -- '^\+'(string escape --style=regex -- $word)'\t' $table; or return
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
        string match -r --groups-only -- '^\+(.*)' $table
    else if test "$slots[$loose]" = 'words-here*'; and set -q start[1]
        set -l rest $words[(math $start + 1)..]
        complete -C (string join ' ' -- (string escape -- $rest) (commandline -ct))
    else
        __qga_find (string trim -rc '*' -- $slots[$loose]) "$cur" $words
    end
end

# What the value $argv[2] of kind $argv[1] may become, behind the words that follow.
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
