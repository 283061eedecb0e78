# bash completion of qga. Written by `make gen` from the command records: do not edit.

# Options that several commands have, NAME=KIND.
_qga_common0='--connect=uri -c=uri --timeout=text --explain --audit=host-path --verbose -v --help -h'
_qga_common1='--output=|table|json|jsonl|yaml|csv|tsv|raw'
_qga_common2='--label=text --state=|running|paused|suspended|shut-off|crashed|all --parallel=text -j=text'
_qga_common3='--preserve --mode=text --owner=text --dereference -L --resume --compress=|none|auto|gzip --no-verify --special --max-size=text'
_qga_common4='--output=|table|json|jsonl|yaml|csv|tsv -o=|table|json|jsonl|yaml|csv|tsv'
_qga_common5='--env=text -e=text --env-file=host-path --clean-env --workdir=guest-path -w=guest-path --kill-after=text'

# What goes on from `qga $1`.
_qga_table() {
    case $1 in
        '')
            children='batch cat completion config connect cp cpu disk doctor edit exec exec-status exporter file forward fs help info list ls memory metrics mkdir mv net os ping power pull push raw rm rsh script shell ssh sync sync-delimited tail time top user wait' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'config')
            children='show' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'cpu')
            children='list load set stats' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'disk')
            children='list stats' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'file')
            children='close flush open read seek write' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'fs')
            children='freeze freeze-list list status thaw trim with-frozen' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'memory')
            children='info list set' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'net')
            children='address interfaces routes' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'os')
            children='devices hostname info timezone' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'power')
            children='shutdown suspend-disk suspend-hybrid suspend-ram' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'ssh')
            children='add config list remove' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'time')
            children='get set' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'user')
            children='list set-password' places=''
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'batch')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'cat')
            children='' places='place*'
            options='--channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'completion')
            children='' places='|bash|zsh|fish'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'connect')
            children='' places='guest text'
            options='--channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'cp')
            children='' places='place*'
            options='--recursive -r -p --quiet -q --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3" ;;
        'doctor')
            children='' places='guest'
            options='--fix --yes -y -l=text --fail-fast --as-completed --gather --columns=,check,verdict,finding,fix --no-header --sort=|check|verdict|finding|fix --watch=text '"$_qga_common0 $_qga_common2 $_qga_common4" ;;
        'edit')
            children='' places='place'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'exec')
            children='' places='guest words*'
            options='--user=user -u=user --no-stdin -n --channel=|auto|always|never --detach -d --stdin -i --tty -t --escape=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common5" ;;
        'exec-status')
            children='' places='guest pid'
            options='--wait -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,exited,exitcode,signal,stdout,stderr --no-header --sort=|exited|exitcode|signal|stdout|stderr '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'exporter')
            children='' places='guest'
            options='--listen=text --keep=text --all-filesystems -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'forward')
            children='' places='guest text* words*'
            options='--reverse=text -R=text --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'help')
            children='' places='|batch|cat|completion|config|connect|cp|cpu|disk|doctor|edit|exec|exec-status|exporter|file|forward|fs|help|info|list|ls|memory|metrics|mkdir|mv|net|os|ping|power|pull|push|raw|rm|rsh|script|shell|ssh|sync|sync-delimited|tail|time|top|user|wait|options|configuration|targets|output|exit-codes|transports*'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'info')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,wire,command,state,agent --no-header --sort=|wire|command|state|agent --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'list')
            children='' places='guest'
            options='-l=text --columns=,vm,state,agent,version,os,load,addresses --no-header --sort=|vm|state|agent|version|os|load|addresses --watch=text '"$_qga_common0 $_qga_common2 $_qga_common4" ;;
        'ls')
            children='' places='place'
            options='--long -l --human-readable --all -a --fail-fast --as-completed --columns=,mode,owner,group,size,modified,name,target --no-header --sort=|mode|owner|group|size|modified|name|target --watch=text '"$_qga_common0 $_qga_common2 $_qga_common4" ;;
        'metrics')
            children='' places='guest'
            options='--write=host-path --all-filesystems --output=|raw|json|jsonl|yaml -o=|raw|json|jsonl|yaml -l=text '"$_qga_common0 $_qga_common2" ;;
        'mkdir')
            children='' places='place*'
            options='--parents -p -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'mv')
            children='' places='place*'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'ping')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'pull')
            children='' places='place*'
            options='--recursive -r -p --quiet -q --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3" ;;
        'push')
            children='' places='place*'
            options='--recursive -r -p --quiet -q --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common3" ;;
        'raw')
            children='' places='guest |guest-exec|guest-exec-status|guest-file-close|guest-file-flush|guest-file-open|guest-file-read|guest-file-seek|guest-file-write|guest-fsfreeze-freeze|guest-fsfreeze-freeze-list|guest-fsfreeze-status|guest-fsfreeze-thaw|guest-fstrim|guest-get-cpustats|guest-get-devices|guest-get-disks|guest-get-diskstats|guest-get-fsinfo|guest-get-host-name|guest-get-load|guest-get-memory-block-info|guest-get-memory-blocks|guest-get-osinfo|guest-get-time|guest-get-timezone|guest-get-users|guest-get-vcpus|guest-info|guest-network-get-interfaces|guest-network-get-route|guest-ping|guest-set-memory-blocks|guest-set-time|guest-set-user-password|guest-set-vcpus|guest-shutdown|guest-ssh-add-authorized-keys|guest-ssh-get-authorized-keys|guest-ssh-remove-authorized-keys|guest-suspend-disk|guest-suspend-hybrid|guest-suspend-ram|guest-sync|guest-sync-delimited text*'
            options='--pretty --output=|raw|json|jsonl|yaml -o=|raw|json|jsonl|yaml -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common2" ;;
        'rm')
            children='' places='place*'
            options='--recursive -r --force -f -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'rsh')
            children='' places='words-here*'
            options='--login=text -l=text --option=text -o=text --subsystem -s --tty -t --no-stdin -n --port=text -p=text --identity=text -i=text --config=text -F=text --ipv4 -4 --ipv6 -6 --compress -C --quiet -q --no-tty -T --no-x11 -x --no-agent -a --channel=|auto|always|never '"$_qga_common0 $_qga_common1" ;;
        'script')
            children='' places='guest host-path words*'
            options='--user=user -u=user --no-stdin -n --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2 $_qga_common5" ;;
        'shell')
            children='' places='guest'
            options='--user=user -u=user --escape=text --channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'sync')
            children='' places='guest'
            options='--id=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'sync-delimited')
            children='' places='guest'
            options='--id=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'tail')
            children='' places='place'
            options='--lines=text -n=text --follow -f -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'top')
            children='' places='guest'
            options='--every=text -d=text -l=text --columns=,vm,state,agent,frozen,cpu%,memory,memory-total,load,full%,mountpoint,received,sent,read,written --no-header --sort=|vm|state|agent|frozen|cpu%|memory|memory-total|load|full%|mountpoint|received|sent|read|written --watch=text '"$_qga_common0 $_qga_common2 $_qga_common4" ;;
        'wait')
            children='' places='guest*'
            options='--for=|agent|exec|ip|file:|port:|thawed|stopped -l=text --columns=,vm,ready,seconds,reason --no-header --sort=|vm|ready|seconds|reason --watch=text '"$_qga_common0 $_qga_common2 $_qga_common4" ;;
        'config show')
            children='' places=''
            options='--columns=,setting,value,origin --no-header --sort=|setting|value|origin --watch=text '"$_qga_common0 $_qga_common4" ;;
        'cpu list')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,cpu,online,can-offline --no-header --sort=|cpu|online|can-offline --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'cpu load')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,load1m,load5m,load15m --no-header --sort=|load1m|load5m|load15m --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'cpu set')
            children='' places='guest text*'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'cpu stats')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,cpu,user,nice,system,idle,iowait,irq,softirq,steal,guest,guestnice --no-header --sort=|cpu|user|nice|system|idle|iowait|irq|softirq|steal|guest|guestnice --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'disk list')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,disk,type,bus,pci,unit,serial,alias,parents,target,worn% --no-header --sort=|disk|type|bus|pci|unit|serial|alias|parents|target|worn% --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'disk stats')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,disk,reads,read,writes,written,discarded,flushes,running,busy,read-time,write-time,discard-time,flush-time,queue-time,discards,reads-merged,writes-merged,discards-merged,major,minor --no-header --sort=|disk|reads|read|writes|written|discarded|flushes|running|busy|read-time|write-time|discard-time|flush-time|queue-time|discards|reads-merged|writes-merged|discards-merged|major|minor --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file close')
            children='' places='guest text'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file flush')
            children='' places='guest text'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file open')
            children='' places='guest guest-path'
            options='--mode=|r|w|a|r+|w+|a+|rb|wb|ab|rb+|wb+|ab+ -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file read')
            children='' places='guest text'
            options='--count=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,count,eof,data --no-header --sort=|count|eof|data '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file seek')
            children='' places='guest text text'
            options='--whence=|set|cur|end -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,position,eof --no-header --sort=|position|eof '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'file write')
            children='' places='guest text'
            options='--count=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,count,eof --no-header --sort=|count|eof '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs freeze')
            children='' places='guest'
            options='--for=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs freeze-list')
            children='' places='guest mountpoint*'
            options='--for=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs list')
            children='' places='guest'
            options='--fillable -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,mountpoint,device,type,used,total,used%,fills,disks --no-header --sort=|mountpoint|device|type|used|total|used%|fills|disks --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs status')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs thaw')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs trim')
            children='' places='guest'
            options='--minimum=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,path,trimmed,minimum,error --no-header --sort=|path|trimmed|minimum|error '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'fs with-frozen')
            children='' places='guest* words-here*'
            options='--mountpoint=mountpoint --max=text -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'memory info')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,size --no-header --sort=|size --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'memory list')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,block,online,can-offline --no-header --sort=|block|online|can-offline --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'memory set')
            children='' places='guest text*'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,block,response,error --no-header --sort=|block|response|error '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'net address')
            children='' places='guest'
            options='--ipv4 -4 --ipv6 -6 --all -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'net interfaces')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,interface,mac,addresses,rx-bytes,tx-bytes,rx-packets,rx-errs,rx-dropped,tx-packets,tx-errs,tx-dropped --no-header --sort=|interface|mac|addresses|rx-bytes|tx-bytes|rx-packets|rx-errs|rx-dropped|tx-packets|tx-errs|tx-dropped --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'net routes')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,destination,via,dev,metric,type,version,mtu,source,flags --no-header --sort=|destination|via|dev|metric|type|version|mtu|source|flags --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'os devices')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,driver,version,date,device --no-header --sort=|driver|version|date|device --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'os hostname')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,hostname --no-header --sort=|hostname --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'os info')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,pretty-name,id,name,version,version-id,variant,variant-id,kernel-release,kernel-version,machine --no-header --sort=|pretty-name|id|name|version|version-id|variant|variant-id|kernel-release|kernel-version|machine --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'os timezone')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,zone,offset --no-header --sort=|zone|offset --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'power shutdown')
            children='' places='guest'
            options='--mode=|powerdown|halt|reboot -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'power suspend-disk')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'power suspend-hybrid')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'power suspend-ram')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'ssh add')
            children='' places='guest user key*'
            options='--reset -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'ssh config')
            children='' places=''
            options='--channel=|auto|always|never -o=|table|json|jsonl|yaml|csv|tsv|raw '"$_qga_common0 $_qga_common1" ;;
        'ssh list')
            children='' places='guest user'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,type,fingerprint,comment,options,key --no-header --sort=|type|fingerprint|comment|options|key --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'ssh remove')
            children='' places='guest user key*'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'time get')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,time,ahead-of-host --no-header --sort=|time|ahead-of-host --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'time set')
            children='' places='guest text'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'user list')
            children='' places='guest'
            options='-o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather --columns=,user,domain,login,age --no-header --sort=|user|domain|login|age --watch=text '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
        'user set-password')
            children='' places='guest user'
            options='--password-stdin --password-file=host-path --crypted -o=|table|json|jsonl|yaml|csv|tsv|raw -l=text --fail-fast --as-completed --gather '"$_qga_common0 $_qga_common1 $_qga_common2" ;;
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

# The kind of value that option $1 of the current command takes; fails for a flag or a stranger.
_qga_option() {
    [[ " $options " == *" $1="* ]] || return
    kind=" $options "
    kind=${kind#*" $1="}
    kind=${kind%% *}
}

# Walks the words before cur and finds the kind of cur.
_qga_locate() {
    local word value='' ended='' loose=0
    local -a slots=()
    _qga_table ''
    for word in "${words[@]:1}"; do
        if [[ $value ]]; then
            value=''
        elif [[ ! $ended && $word == -- ]]; then
            ended=1
            [[ ${slots[loose]} == *'*' && ${slots[loose + 1]} ]] && ((loose += 1))
        elif [[ ! $ended && $word == -?* ]]; then
            _qga_option "$word" && value=$kind
        elif [[ $children ]]; then
            [[ " $children " == *" $word "* ]] || return
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

# Those of the names in $1 that go on with $value, behind $2, which is done.
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

# Asks qga for what only it can know. A remark may follow each word behind a tab.
_qga_ask() {
    local -a said
    mapfile -t said < <("${words[0]/#\~\//$HOME/}" __complete "$1" "$2" "${words[@]:1}" 2>/dev/null)
    found+=("${said[@]%%$'\t'*}")
}

# The command line behind `--` is another program's: its own completion, where bash-completion is.
_qga_other() {
    local index
    declare -F _command_offset >/dev/null || return
    for ((index = 1; index < COMP_CWORD; index++)); do
        [[ ${COMP_WORDS[index]} == -- ]] && _command_offset $((index + 1)) && return
    done
}

_qga() {
    local cur='' quote='' keep=0 command='' options='' places='' children='' kind=text prefix=''
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
