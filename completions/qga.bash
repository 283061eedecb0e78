# bash completion of qga. Written by `make gen` from the command records: do not edit.

# Options that several commands have, NAME=KIND; the sets that commands have of them.
_qga_common0='--connect=uri -c=uri --timeout=text --explain --audit=host-path --verbose -v --help -h'
_qga_common1='--output=|table|json|jsonl|yaml|csv|tsv|raw'
_qga_common2='-o=|table|json|jsonl|yaml|csv|tsv|raw'
_qga_common3='--label=text --state=|running|paused|suspended|shut-off|crashed|all --parallel=text -j=text'
_qga_common4='-l=text'
_qga_common5='--fail-fast --as-completed'
_qga_common6='--gather'
_qga_common7='--channel=|auto|always|never'
_qga_common8='--preserve --mode=text --owner=text --dereference -L --resume --compress=|none|auto|gzip --no-verify --special --max-size=text'
_qga_common9='--output=|table|json|jsonl|yaml|csv|tsv -o=|table|json|jsonl|yaml|csv|tsv'
_qga_common10='--no-header'
_qga_common11='--watch=text'
_qga_set0="$_qga_common0 $_qga_common1 $_qga_common2"
_qga_set1="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4"
_qga_set2="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5"
_qga_set3="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6"
_qga_set4="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6 $_qga_common7"
_qga_set5="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6 $_qga_common10"
_qga_set6="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6 $_qga_common10 $_qga_common11"
_qga_set7="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common7"
_qga_set8="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common7 $_qga_common8"
_qga_set9="$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common7"
_qga_set10="$_qga_common0 $_qga_common1 $_qga_common4 $_qga_common7"
_qga_set11="$_qga_common0 $_qga_common3 $_qga_common4"
_qga_set12="$_qga_common0 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6"
_qga_set13="$_qga_common0 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6 $_qga_common9"
_qga_set14="$_qga_common0 $_qga_common3 $_qga_common4 $_qga_common5 $_qga_common6 $_qga_common9 $_qga_common10 $_qga_common11"
_qga_set15="$_qga_common0 $_qga_common3 $_qga_common4 $_qga_common9 $_qga_common10 $_qga_common11"
_qga_set16="$_qga_common0 $_qga_common3 $_qga_common5 $_qga_common9 $_qga_common10 $_qga_common11"
_qga_set17="$_qga_common0 $_qga_common9 $_qga_common10 $_qga_common11"

# What goes on from `qga $1`.
_qga_table() {
    case $1 in
        '')
            children='batch cat completion config connect cp cpu disk doctor edit exec exec-status exporter file forward fs help info list ls memory metrics mkdir mv net os ping power pull push raw rm rsh script shell ssh sync sync-delimited tail time top user wait' places=''
            options="$_qga_set0" ;;
        'config')
            children='show' places=''
            options="$_qga_set0" ;;
        'cpu')
            children='list load set stats' places=''
            options="$_qga_set0" ;;
        'disk')
            children='list stats' places=''
            options="$_qga_set0" ;;
        'file')
            children='close flush open read seek write' places=''
            options="$_qga_set0" ;;
        'fs')
            children='freeze freeze-list list status thaw trim with-frozen' places=''
            options="$_qga_set0" ;;
        'memory')
            children='info list set' places=''
            options="$_qga_set0" ;;
        'net')
            children='address interfaces routes' places=''
            options="$_qga_set0" ;;
        'os')
            children='devices hostname info timezone' places=''
            options="$_qga_set0" ;;
        'power')
            children='shutdown suspend-disk suspend-hybrid suspend-ram' places=''
            options="$_qga_set0" ;;
        'ssh')
            children='add config list remove' places=''
            options="$_qga_set0" ;;
        'time')
            children='get set' places=''
            options="$_qga_set0" ;;
        'user')
            children='list set-password' places=''
            options="$_qga_set0" ;;
        'batch')
            children='' places='guest'
            options="$_qga_set3" ;;
        'cat')
            children='' places='place*'
            options="$_qga_set7" ;;
        'completion')
            children='' places='|bash|zsh|fish'
            options="$_qga_set0" ;;
        'connect')
            children='' places='guest text'
            options="$_qga_set4" ;;
        'cp')
            children='' places='place*'
            options='--recursive -r -p --quiet -q '"$_qga_set8" ;;
        'doctor')
            children='' places='guest'
            options='--fix --yes -y --columns=,check,verdict,finding,fix --sort=|check|verdict|finding|fix '"$_qga_set14" ;;
        'edit')
            children='' places='place'
            options="$_qga_set0" ;;
        'exec')
            children='' places='guest words*'
            options='--env=text -e=text --env-file=host-path --clean-env --workdir=guest-path -w=guest-path --user=user -u=user --no-stdin -n --kill-after=text --detach -d --stdin -i --tty -t --escape=text '"$_qga_set4" ;;
        'exec-status')
            children='' places='guest pid'
            options='--wait --columns=,exited,exitcode,signal,stdout,stderr --sort=|exited|exitcode|signal|stdout|stderr '"$_qga_set5" ;;
        'exporter')
            children='' places='guest'
            options='--listen=text --keep=text --all-filesystems '"$_qga_set1" ;;
        'forward')
            children='' places='guest text* words*'
            options='--reverse=text -R=text '"$_qga_set4" ;;
        'help')
            children='' places='|batch|cat|completion|config|connect|cp|cpu|disk|doctor|edit|exec|exec-status|exporter|file|forward|fs|help|info|list|ls|memory|metrics|mkdir|mv|net|os|ping|power|pull|push|raw|rm|rsh|script|shell|ssh|sync|sync-delimited|tail|time|top|user|wait|options|configuration|targets|output|exit-codes|transports*'
            options="$_qga_set0" ;;
        'info')
            children='' places='guest'
            options='--columns=,wire,command,state,agent --sort=|wire|command|state|agent '"$_qga_set6" ;;
        'list')
            children='' places='guest'
            options='--columns=,vm,state,agent,version,os,load,addresses --sort=|vm|state|agent|version|os|load|addresses '"$_qga_set15" ;;
        'ls')
            children='' places='place'
            options='--long -l --human-readable --all -a --columns=,mode,owner,group,size,modified,name,target --sort=|mode|owner|group|size|modified|name|target '"$_qga_set16" ;;
        'metrics')
            children='' places='guest'
            options='--write=host-path --all-filesystems --output=|raw|json|jsonl|yaml -o=|raw|json|jsonl|yaml '"$_qga_set11" ;;
        'mkdir')
            children='' places='place*'
            options='--parents -p '"$_qga_set2" ;;
        'mv')
            children='' places='place*'
            options="$_qga_set2" ;;
        'ping')
            children='' places='guest'
            options="$_qga_set3" ;;
        'pull')
            children='' places='place*'
            options='--recursive -r -p --quiet -q '"$_qga_set8" ;;
        'push')
            children='' places='place*'
            options='--recursive -r -p --quiet -q '"$_qga_set8" ;;
        'raw')
            children='' places='guest |guest-exec|guest-exec-status|guest-file-close|guest-file-flush|guest-file-open|guest-file-read|guest-file-seek|guest-file-write|guest-fsfreeze-freeze|guest-fsfreeze-freeze-list|guest-fsfreeze-status|guest-fsfreeze-thaw|guest-fstrim|guest-get-cpustats|guest-get-devices|guest-get-disks|guest-get-diskstats|guest-get-fsinfo|guest-get-host-name|guest-get-load|guest-get-memory-block-info|guest-get-memory-blocks|guest-get-osinfo|guest-get-time|guest-get-timezone|guest-get-users|guest-get-vcpus|guest-info|guest-network-get-interfaces|guest-network-get-route|guest-ping|guest-set-memory-blocks|guest-set-time|guest-set-user-password|guest-set-vcpus|guest-shutdown|guest-ssh-add-authorized-keys|guest-ssh-get-authorized-keys|guest-ssh-remove-authorized-keys|guest-suspend-disk|guest-suspend-hybrid|guest-suspend-ram|guest-sync|guest-sync-delimited text*'
            options='--pretty --output=|raw|json|jsonl|yaml -o=|raw|json|jsonl|yaml '"$_qga_set12" ;;
        'rm')
            children='' places='place*'
            options='--recursive -r --force -f '"$_qga_set2" ;;
        'rsh')
            children='' places='words-here*'
            options='--login=text --option=text -o=text --subsystem -s --tty -t --no-stdin -n --port=text -p=text --identity=text -i=text --config=text -F=text --ipv4 -4 --ipv6 -6 --compress -C --quiet -q --no-tty -T --no-x11 -x --no-agent -a '"$_qga_set10" ;;
        'script')
            children='' places='guest host-path words*'
            options='--env=text -e=text --env-file=host-path --clean-env --workdir=guest-path -w=guest-path --user=user -u=user --no-stdin -n --kill-after=text '"$_qga_set4" ;;
        'shell')
            children='' places='guest'
            options='--user=user -u=user --escape=text '"$_qga_set4" ;;
        'sync')
            children='' places='guest'
            options='--id=text '"$_qga_set3" ;;
        'sync-delimited')
            children='' places='guest'
            options='--id=text '"$_qga_set3" ;;
        'tail')
            children='' places='place'
            options='--lines=text -n=text --follow -f '"$_qga_set2" ;;
        'top')
            children='' places='guest'
            options='--every=text -d=text --columns=,vm,state,agent,frozen,cpu%,memory,memory-total,load,full%,mountpoint,received,sent,read,written --sort=|vm|state|agent|frozen|cpu%|memory|memory-total|load|full%|mountpoint|received|sent|read|written '"$_qga_set15" ;;
        'wait')
            children='' places='guest*'
            options='--for=|agent|exec|ip|file:|port:|thawed|stopped --columns=,vm,ready,seconds,reason --sort=|vm|ready|seconds|reason '"$_qga_set15" ;;
        'config show')
            children='' places=''
            options='--columns=,setting,value,origin --sort=|setting|value|origin '"$_qga_set17" ;;
        'cpu list')
            children='' places='guest'
            options='--columns=,cpu,online,can-offline --sort=|cpu|online|can-offline '"$_qga_set6" ;;
        'cpu load')
            children='' places='guest'
            options='--columns=,load1m,load5m,load15m --sort=|load1m|load5m|load15m '"$_qga_set6" ;;
        'cpu set')
            children='' places='guest text*'
            options="$_qga_set3" ;;
        'cpu stats')
            children='' places='guest'
            options='--columns=,cpu,user,nice,system,idle,iowait,irq,softirq,steal,guest,guestnice --sort=|cpu|user|nice|system|idle|iowait|irq|softirq|steal|guest|guestnice '"$_qga_set6" ;;
        'disk list')
            children='' places='guest'
            options='--columns=,disk,type,bus,pci,unit,serial,alias,parents,target,worn% --sort=|disk|type|bus|pci|unit|serial|alias|parents|target|worn% '"$_qga_set6" ;;
        'disk stats')
            children='' places='guest'
            options='--columns=,disk,reads,read,writes,written,discarded,flushes,running,busy,read-time,write-time,discard-time,flush-time,queue-time,discards,reads-merged,writes-merged,discards-merged,major,minor --sort=|disk|reads|read|writes|written|discarded|flushes|running|busy|read-time|write-time|discard-time|flush-time|queue-time|discards|reads-merged|writes-merged|discards-merged|major|minor '"$_qga_set6" ;;
        'file close')
            children='' places='guest text'
            options="$_qga_set3" ;;
        'file flush')
            children='' places='guest text'
            options="$_qga_set3" ;;
        'file open')
            children='' places='guest guest-path'
            options='--mode=|r|w|a|r+|w+|a+|rb|wb|ab|rb+|wb+|ab+ '"$_qga_set3" ;;
        'file read')
            children='' places='guest text'
            options='--count=text --columns=,count,eof,data --sort=|count|eof|data '"$_qga_set5" ;;
        'file seek')
            children='' places='guest text text'
            options='--whence=|set|cur|end --columns=,position,eof --sort=|position|eof '"$_qga_set5" ;;
        'file write')
            children='' places='guest text'
            options='--count=text --columns=,count,eof --sort=|count|eof '"$_qga_set5" ;;
        'fs freeze')
            children='' places='guest'
            options='--for=text '"$_qga_set3" ;;
        'fs freeze-list')
            children='' places='guest mountpoint*'
            options='--for=text '"$_qga_set3" ;;
        'fs list')
            children='' places='guest'
            options='--fillable --columns=,mountpoint,device,type,used,total,used%,fills,disks --sort=|mountpoint|device|type|used|total|used%|fills|disks '"$_qga_set6" ;;
        'fs status')
            children='' places='guest'
            options="$_qga_set3" ;;
        'fs thaw')
            children='' places='guest'
            options="$_qga_set3" ;;
        'fs trim')
            children='' places='guest'
            options='--minimum=text --columns=,path,trimmed,minimum,error --sort=|path|trimmed|minimum|error '"$_qga_set5" ;;
        'fs with-frozen')
            children='' places='guest* words-here*'
            options='--mountpoint=mountpoint --max=text '"$_qga_set1" ;;
        'memory info')
            children='' places='guest'
            options='--columns=,size --sort=|size '"$_qga_set6" ;;
        'memory list')
            children='' places='guest'
            options='--columns=,block,online,can-offline --sort=|block|online|can-offline '"$_qga_set6" ;;
        'memory set')
            children='' places='guest text*'
            options='--columns=,block,response,error --sort=|block|response|error '"$_qga_set5" ;;
        'net address')
            children='' places='guest'
            options='--ipv4 -4 --ipv6 -6 --all '"$_qga_set13" ;;
        'net interfaces')
            children='' places='guest'
            options='--columns=,interface,mac,addresses,rx-bytes,tx-bytes,rx-packets,rx-errs,rx-dropped,tx-packets,tx-errs,tx-dropped --sort=|interface|mac|addresses|rx-bytes|tx-bytes|rx-packets|rx-errs|rx-dropped|tx-packets|tx-errs|tx-dropped '"$_qga_set6" ;;
        'net routes')
            children='' places='guest'
            options='--columns=,destination,via,dev,metric,type,version,mtu,source,flags --sort=|destination|via|dev|metric|type|version|mtu|source|flags '"$_qga_set6" ;;
        'os devices')
            children='' places='guest'
            options='--columns=,driver,version,date,device --sort=|driver|version|date|device '"$_qga_set6" ;;
        'os hostname')
            children='' places='guest'
            options='--columns=,hostname --sort=|hostname '"$_qga_set6" ;;
        'os info')
            children='' places='guest'
            options='--columns=,pretty-name,id,name,version,version-id,variant,variant-id,kernel-release,kernel-version,machine --sort=|pretty-name|id|name|version|version-id|variant|variant-id|kernel-release|kernel-version|machine '"$_qga_set6" ;;
        'os timezone')
            children='' places='guest'
            options='--columns=,zone,offset --sort=|zone|offset '"$_qga_set6" ;;
        'power shutdown')
            children='' places='guest'
            options='--mode=|powerdown|halt|reboot '"$_qga_set3" ;;
        'power suspend-disk')
            children='' places='guest'
            options="$_qga_set3" ;;
        'power suspend-hybrid')
            children='' places='guest'
            options="$_qga_set3" ;;
        'power suspend-ram')
            children='' places='guest'
            options="$_qga_set3" ;;
        'ssh add')
            children='' places='guest user key*'
            options='--reset '"$_qga_set3" ;;
        'ssh config')
            children='' places=''
            options="$_qga_set9" ;;
        'ssh list')
            children='' places='guest user'
            options='--columns=,type,fingerprint,comment,options,key --sort=|type|fingerprint|comment|options|key '"$_qga_set6" ;;
        'ssh remove')
            children='' places='guest user key*'
            options="$_qga_set3" ;;
        'time get')
            children='' places='guest'
            options='--columns=,time,ahead-of-host --sort=|time|ahead-of-host '"$_qga_set6" ;;
        'time set')
            children='' places='guest text'
            options="$_qga_set3" ;;
        'user list')
            children='' places='guest'
            options='--columns=,user,domain,login,age --sort=|user|domain|login|age '"$_qga_set6" ;;
        'user set-password')
            children='' places='guest user'
            options='--password-stdin --password-file=host-path --crypted '"$_qga_set3" ;;
    esac
}


# Reads the line up to the cursor, taking quotes away and running nothing of what is typed: words,
# cur, the quote still open, and how much of cur readline leaves alone (keep).
_qga_read() {
    local line=${COMP_LINE:0:COMP_POINT} char started='' opened=0
    while [[ $line ]]; do
        char=${line:0:1} line=${line:1}
        case $quote$char in
            [[:blank:]])
                [[ $started ]] && words+=("$cur")
                cur='' started='' keep=0
                continue ;;
            \\ | \"\\) cur+=${line:0:1} line=${line:1} ;;
            \' | \") quote=$char opened=${#cur} ;;
            \'\' | \"\") quote='' ;;
            *)
                # Readline breaks behind these, but before an @ (its special prefixes).
                [[ ! $quote && $char == @ && $COMP_WORDBREAKS == *@* ]] && keep=${#cur}
                cur+=$char
                [[ ! $quote && $char != @ && $COMP_WORDBREAKS == *"$char"* ]] && keep=${#cur} ;;
        esac
        started=1
    done
    [[ $quote ]] && keep=$opened
}

# Puts the words of an alias of the configuration in its place, once.
_qga_spell_out() {
    local -a said
    [[ ! $command && ! $alias ]] || return
    alias=$word
    mapfile -t said < <("${words[0]/#\~\//$HOME/}" __complete alias-words "$alias" 2>/dev/null)
    ((${#said[@]})) && words=("${words[@]:0:index}" "${said[@]}" "${words[@]:index+1}")
}

# The kind of value that option $1 of the current command takes; fails for a flag or a stranger.
_qga_option() {
    [[ " $options " == *" $1="* ]] || return
    kind=" $options "
    kind=${kind#*" $1="}
    kind=${kind%% *}
}

# Walks the words before cur and finds the kind of cur.
_qga_locate() {
    local word value='' ended='' loose=0 index=0
    local -a slots=()
    _qga_table ''
    for word in "${words[@]:1}"; do
        ((index += 1))
        if [[ $value ]]; then
            value=''
        elif [[ ! $ended && $word == -- ]]; then
            ended=1
            [[ ${slots[loose]} == *'*' && ${slots[loose + 1]} ]] && ((loose += 1))
        elif [[ ! $ended && $word == -?* ]]; then
            _qga_option "$word" && value=$kind
        elif [[ $children ]]; then
            [[ " $children " == *" $word "* ]] || { _qga_spell_out && _qga_locate; return; }
            command+=${command:+ }$word
            _qga_table "$command"
            slots=($places)
        else
            [[ ${slots[loose]} == *'*' ]] || ((loose += 1))
            [[ ${slots[loose]} == words* ]] && ended=1
        fi
    done
    if [[ $value ]]; then
        kind=$value
    elif [[ ! $ended && $cur == --*=* ]]; then
        prefix=${cur%%=*}=
        _qga_option "${cur%%=*}" || kind=text
    elif [[ ! $ended && $cur == -* ]]; then
        kind=''
        for word in $options; do kind+="|${word%%=*}"; done
    elif [[ $children ]]; then
        kind="|${children// /|}"
    else
        kind=${slots[loose]%'*'}
    fi
}

# Fills found with what the value $2 of kind $1 may become.
_qga_find() {
    local value=$2 done=''
    case $1 in
        '|'*) _qga_among "$1" '' ;;
        ','*)
            [[ $value == *,* ]] && done=${value%,*},
            _qga_among "${1//,/|}" "$done" ;;
        uri)
            _qga_among '|qemu:///system|qemu:///session|unix:|vsock:' ''
            [[ $value == unix:* ]] && _qga_files unix: "${value#unix:}" ;;
        key) [[ $value == @* ]] && _qga_files @ "${value#@}" ;;
        host-path) _qga_files '' "$value" ;;
        place)
            [[ $value == [./~-]* ]] || _qga_ask "$@"
            [[ $value == *:* ]] || _qga_files '' "$value" ;;
        words-here) mapfile -t found < <(compgen -c -- "$value") ;;
        text | '') ;;
        *) _qga_ask "$@" ;;
    esac
}

# Those of the names in $1 that go on with $value, after $2, which is done.
_qga_among() {
    local IFS='|' name
    for name in ${1:1}; do
        [[ $2$name == "$value"* && ,$2 != *",$name,"* ]] && found+=("$2$name")
    done
}

_qga_files() {
    local name
    local -a names
    mapfile -t names < <(compgen -f -- "$2")
    for name in "${names[@]}"; do
        [[ -d ${name/#\~\//$HOME/} ]] && name+=/
        found+=("$1$name")
    done
}

# Asks qga for what only it can know. A remark may follow each word after a tab.
_qga_ask() {
    local -a said
    mapfile -t said < <("${words[0]/#\~\//$HOME/}" __complete "$1" "$2" "${words[@]:1}" 2>/dev/null)
    found+=("${said[@]%%$'\t'*}")
}

# The command line after `--` is another program's: its own completion, where bash-completion is.
_qga_other() {
    local index
    declare -F _command_offset >/dev/null || return
    for ((index = 1; index < COMP_CWORD; index++)); do
        [[ ${COMP_WORDS[index]} == -- ]] && _command_offset $((index + 1)) && return
    done
}

_qga() {
    local cur='' quote='' keep=0 command='' options='' places='' children='' kind=text prefix='' alias=''
    local IFS=$' \t\n' word
    local -a words=() found=()
    COMPREPLY=()
    _qga_read
    _qga_locate
    [[ $kind == words-here ]] && _qga_other && return
    _qga_find "$kind" "${cur#"$prefix"}"
    [[ ! $command && $children && $cur && ! ${found[*]} ]] && _qga_ask alias "$cur"
    for word in "${found[@]}"; do
        word=$prefix$word
        word=${word:keep}
        case $quote in
            \') word=${word//\'/\'\\\'\'} ;;
            \") [[ $word == *!* ]] && continue; word=${word//[\\\"\$\`]/\\&} ;;
            *) [[ $word ]] && { printf -v word %q "$word"; word=${word//\\,/,}; } ;;
        esac
        [[ $cur == \~/* ]] && word=${word#\\}
        COMPREPLY+=("$word")
    done
    [[ ${#COMPREPLY[@]} == 1 && ${COMPREPLY[0]} == *[/:=,] ]] && compopt -o nospace
}

complete -o nosort -F _qga qga
