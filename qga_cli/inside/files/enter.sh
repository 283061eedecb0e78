# shellcheck shell=sh disable=SC2034,SC3065,SC3067  # -k, -O: dash, bash and busybox have them
# How our scripts come into a folder that others may write to. Begins the scripts beside it.
#
# There is no openat in a shell. So a folder is entered, and it is checked after that where we are:
# what is renamed or linked later changes nothing, for all that follows is named from `.`, or
# through a descriptor of ours in /proc/self/fd, which leads to what is open and never to a name.

say() { printf '%s: %s\n' "$1" "$2" >&2; exit 1; }

# Whether nobody but us or root can rename anything on the way from / to the entered folder, nor in
# it. In a folder above it, a sticky bit protects what is root's.
private() {
  up=.
  list=.
  while [ ! "$up" -ef / ]; do
    up=$up/..
    list="$list $up"
  done
  # shellcheck disable=SC2012,SC2086  # find knows no owner's number everywhere; $list is words
  LC_ALL=C ls -ldn $list 2>/dev/null | (
    first=1
    # shellcheck disable=SC2034  # the count of links
    while read -r mode links owner _; do
      case $mode in
        d????w*[tT]* | d???????w[tT]*) [ -z "$first" ] || exit 1 ;;
        d????w* | d???????w*) exit 1 ;;
      esac
      [ "$owner" = 0 ] || [ "$owner" = "$(id -u)" ] || exit 1
      first=
    done
    [ -z "$first" ]
  )
}

# Enters the absolute path $1. A link on the way is followed where nobody else could have put it.
# $PWD is the kernel's word for where we are: as long as that is what was asked for, no link was in
# the way. Otherwise each part is entered alone. $2 1 to make the folders that are missing.
enter() {
  if cd -P -- "$1" 2>/dev/null && [ "$PWD" = "${1%"${1##*[!/]}"}" ]; then return; fi
  case $1 in
    /proc/[0-9]*/fd/7/*) # a stage of ours: a name that no link leads away from
      way=${1#/proc/*/fd/7/}
      [ -O "${1%"/7/$way"}" ] && cd -P -- "${1%"$way"}" || exit
      ;;
    *)
      way=$1
      cd / || exit
      ;;
  esac
  links=0
  while [ "$way" ]; do
    part=${way%%/*}
    case $way in */*) way=${way#*/} ;; *) way= ;; esac
    case $part in '' | .) continue ;; esac
    if [ "$part" = .. ]; then
      cd -P .. || exit
      continue
    fi
    if [ -L "./$part" ]; then
      private || say "${PWD%/}/$part" 'a link in a folder that others can write to; name what it leads to'
      links=$((links + 1))
      [ $links -le 40 ] || say "$1" 'too many links'
      link=$(readlink -n -- "./$part" && echo x) || say "$1" 'no such folder'
      way=${link%x}/$way
      case $way in /*) cd / || exit ;; esac
      continue
    fi
    # Another may make it at the same moment.
    [ -z "$2" ] || [ -d "./$part" ] || mkdir -- "./$part" || [ -d "./$part" ] || exit
    [ -d "./$part" ] || { [ ! -e "./$part" ] || say "$1" 'is no folder'; say "$1" 'no such folder'; }
    there=${PWD%/}/$part
    cd -P -- "./$part" || exit
    [ "$PWD" = "$there" ] || say "$there" 'was replaced while it was entered'
  done
}

# Whether the entered folder is one such as /tmp, where any name is anybody's for the taking: there
# another may have put a file to get what replaces it. It hands on nothing then, as the kernel opens no
# such file with O_CREAT where its fs.protected_regular is on.
loose() { [ -k . ] && case $(stat -c %a .) in *[2367]) ;; *) return 1 ;; esac }

# Whether a file hands on owner and mode to what replaces it. $1 1 in a loose folder  $2 its owner
hands_on() {
  case "$1 $2" in ' '* | '1 0:'* | "1 $(id -u):"*) ;; *) return 1 ;; esac
}

# Holds the descriptors that are open (8 a folder, 9 a file, 7 a stage) while the host is busy, and
# prints by which process: its number, a dot, when it began. It is root's, so /proc/PID/fd is a way
# that nobody else can turn. beat.sh tells it that the host lives; it ends when it has not heard of
# the host, nor seen the file change, for 45 to 60 seconds. While the agent is frozen no beat comes.
# `pkill -x sh` does not find it; a sleep that somebody has ended by its name is no silence.
hold() {
  { printf qga >/proc/self/comm; } 2>/dev/null # its name from its first moment on
  (
    trap 'kill $!; exit' TERM
    cd /
    what=9
    [ -e /proc/self/fd/9 ] || what=7
    known=
    silent=0
    while sleep 15 7>&- 8>&- 9>&- & wait $!; slept=$?; [ $slept = 0 ] || [ $slept -gt 128 ]; do
      [ $slept = 0 ] || continue
      now=$(stat -L -c %Y /proc/self/fd/$what)
      silent=$((silent + 1))
      [ "$now" = "$known" ] || silent=0
      for file in /run/qga.state.isfrozen /run/*/qga.state.isfrozen; do
        [ ! -e "$file" ] || silent=0
      done
      [ $silent -lt 3 ] || exit
      known=$now
    done
  ) </dev/null >/dev/null 2>&1 &
  echo "$!.$(began $!)"
}

# When a process began, in ticks since boot.
began() {
  IFS= read -r line <"/proc/$1/stat" || return
  # shellcheck disable=SC2086  # words: those after the program's name, which may have any character
  set -- ${line##*) }
  shift 19
  echo "$1"
}

# Whether $1 is still the process that hold has printed. Its number may be another's by now, and that
# may have descriptors that somebody else opened: a set-user-ID program's.
lives() {
  [ -O "/proc/${1%.*}/fd" ] && [ "$(began "${1%.*}")" = "${1#*.}" ]
}

# Lets go of what the process $1 holds.
let_go() {
  [ -z "$1" ] || ! lives "$1" || kill "${1%.*}"
}

# $short is what the name of a part of the file or folder $1 has of its name: all of it, if 255 bytes
# have room for that and what follows.
shorten() {
  short=$1
  if [ ${#1} -gt 200 ]; then
    short=$({ printf %s "$1" | sha512sum; } 2>/dev/null)
    short=long-${short%"${short#????????????????}"}
  fi
}

# Renames $1 to $2, and never into $2 if that is a folder or leads to one.
put() {
  said=$(mv -f -T -- "$1" "$2" 2>&1) && return
  case $said in
    *option* | *usage* | *Usage*) # an mv without -T
      private || say "$PWD" "others can write to this folder, and this guest's mv has no -T"
      [ ! -L "$2" ] || rm -f -- "$2"
      [ ! -d "$2" ] && mv -f -- "$1" "$2"
      ;;
    *) printf '%s\n' "$said" >&2; return 1 ;;
  esac
}

# Enters the folder that the path $1 is in. $name is the last part then, $ours 1 where nobody else can
# write, and $spelled how to name it to a program: as it was given, if nobody else can turn that.
enter_parent() {
  spelled=$1
  path=$1
  while [ "$path" != "${path%/}" ]; do path=${path%/}; done
  name=${path##*/}
  case $name in '' | . | ..) say "$1" 'is no name of a file' ;; esac
  enter "${path%/*}/"
  ours=
  if private; then
    ours=1
    return
  fi
  # shellcheck disable=SC2034  # for who calls this
  spelled=./$name
  [ "$path" = "$1" ] || [ ! -L "./$name" ] || say "$1" 'Not a directory'
}
