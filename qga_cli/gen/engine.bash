
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
