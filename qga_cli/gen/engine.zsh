# Offers the words that go on from the root or a group, and hands over to the functions of theirs,
# whose names begin with $1. The other words are those of the group, each with a remark; `specs`
# are the options that may stand before.
_qga_group() {
    local begin=$1
    local -a known=("${@[2,-1]}")
    _arguments -C -S -A '-*' $specs '1:command:->word' '*:: :->rest' && return
    case $state in
        word) _describe -t commands command known || { [[ $begin == _qga && $PREFIX ]] && _qga_ask alias } ;;
        rest)
            if (( $+functions[${begin}_$words[1]] )); then
                ${begin}_$words[1]
            elif [[ $begin == _qga && ! $_qga_alias ]]; then
                # An alias of the configuration: its words in its place, once. zsh undoes what a
                # function has done to `words`, so this is none.
                _qga_alias=$words[1]
                local -a said=("${(@f)$($_qga_program __complete alias-words ${(Q)_qga_alias} 2>/dev/null)}")
                [[ $said ]] || return
                _qga_line[$#_qga_line-CURRENT+2]=("$said[@]")
                words=(qga "${(@q)said}" "${(@)words[2,-1]}")
                (( CURRENT += $#said ))
                _qga_root
            fi ;;
    esac
}

# Asks qga for what only it can know: values of the kind that is the last argument (_arguments puts
# compadd's options before it), with remarks after tabs. zsh quotes them.
_qga_ask() {
    local kind=${@[-1]} value=${(Q)PREFIX} line
    local -a plain shown open openshown options=("${@[1,-2]}")
    [[ $value == -?* ]] && return 1
    [[ $kind == place && $value == (./*|/*|\~*|-) ]] || while IFS= read -r line; do
        local word=${line%%$'\t'*} remark=${${line#*$'\t'}:#$line}
        if [[ $word == *[/:] ]]; then
            open+=("$word") openshown+=("$word${remark:+  -- $remark}")
        else
            plain+=("$word") shown+=("$word${remark:+  -- $remark}")
        fi
    done < <($_qga_program __complete $kind "$value" "${_qga_line[@]}" 2>/dev/null)
    local ret=1
    (( $#plain )) && compadd "${options[@]}" -l -V found -d shown -a plain && ret=0
    (( $#open )) && compadd "${options[@]}" -l -V found -S '' -d openshown -a open && ret=0
    [[ $kind == place && $value != *:* ]] && _files && ret=0
    return ret
}

# The command line after `--` is another program's: zsh's own completion of it.
_qga_other() {
    local -i at=$words[(i)--]
    (( at < CURRENT )) || return
    shift $at words
    (( CURRENT -= at ))
    _normal
    return 0
}

_qga_uri() {
    if compset -P unix:; then
        _files
    else
        compadd -S '' -- unix: vsock:
        compadd -- qemu:///system qemu:///session
    fi
}

# Values of the comma-separated list that is the last argument; what ends with a colon goes on.
_qga_offer() {
    local -a all=("${(@s:,:)@[-1]}") options=("${@[1,-2]}")
    compadd "${options[@]}" -S '' -- ${(M)all:#*:}
    compadd "${options[@]}" -- ${all:#*:}
}

_qga_key() {
    compset -P @ && _files
}

_qga() {
    local curcontext=$curcontext state context
    local -a line
    local -A opt_args
    local -a specs
    local _qga_program=${${(Q)words[1]}/#\~\//$HOME/}
    local _qga_alias=
    local -a _qga_line=("${(@Q)words[2,CURRENT-1]}")
    _qga_root
}

if [[ $funcstack[1] == _qga ]]; then
    _qga "$@"
else
    compdef _qga qga
fi
