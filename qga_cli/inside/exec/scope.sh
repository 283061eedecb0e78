# shellcheck shell=sh
# shellcheck disable=SC2086,SC2034  # pids are words; some members of a line are not needed
# Gives processes that the agent has started a scope of systemd's, with all that they have started.
#
# systemd ends with a service all that is in its control group (KillMode in systemd.kill(5)). What runs
# in the agent's would end when that is restarted: an upgrade of its package, in its own middle.
# Only what is in our own group, which is the agent's, is moved. Exit code 1: nothing was done, for
# there is no systemd, no busctl or no leave for it.
#
# give_scope NAME.scope PID...
give_scope() (
  exec </dev/null >/dev/null 2>&1
  { printf qga >/proc/self/comm; }
  [ -d /run/systemd/system ] || exit 1 # sd_booted(3)
  root='' group=''
  while IFS=: read -r number hierarchy path; do
    case $number:$hierarchy in
    *:name=systemd) root=/sys/fs/cgroup/systemd group=$path ;; # cgroups(7): version 1
    0:) [ "$root" ] || root=/sys/fs/cgroup group=$path ;;
    esac
  done </proc/self/cgroup
  case $group in *.service) ;; *) exit 1 ;; esac
  scope=$1 there=$root/system.slice/$1
  shift
  # It begins with this process, for another may have ended just now, and then there is none.
  read -r self line </proc/self/stat
  begin() {
    [ -d "$there" ] || busctl call org.freedesktop.systemd1 /org/freedesktop/systemd1 \
      org.freedesktop.systemd1.Manager StartTransientUnit 'ssa(sv)a(sa(sv))' "$scope" fail $1 \
      PIDs au 1 $self Description s 'started from the host, by qga' $2 0
  }
  # systemd knows it from 236 on: without it a scope that has failed is listed for ever.
  begin 3 'CollectMode s inactive-or-failed' || begin 2 || exit 1
  for pause in 0.05 0.1 0.2 0.4 0.8; do
    [ ! -d "$there" ] || break
    sleep $pause || sleep 1
  done
  # What they have started may start others meanwhile: until a look finds nothing, or for a while.
  tree=" $* "
  for look in 1 2 3 4 5 6 7 8 9; do
    found=
    while read -r pid; do
      line=; read -r line </proc/$pid/stat || continue
      # After the name: state, parent, group, session, see proc_pid_stat(5).
      IFS=' ' read -r state parent members session line <<.
${line##*) }
.
      case $tree in
      *" $pid "*) ;;
      *" $parent "* | *" $session "*) tree="$tree$pid " ;;
      *) continue ;;
      esac
      echo $pid >"$there/cgroup.procs" && found=1
    done <"$root$group/cgroup.procs"
    [ $found ] || exit 0
  done
)
