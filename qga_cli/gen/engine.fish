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
