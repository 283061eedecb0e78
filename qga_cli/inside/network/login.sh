# shellcheck shell=sh
# Becomes a sshd for one login on our standard input and output, after a line for each public host
# key and an empty one. Nothing is forked on the way: in a slow guest a login takes long enough.
umask 022
for qga_sshd in /usr/sbin/sshd /usr/local/sbin/sshd /sbin/sshd /usr/bin/sshd; do
  [ ! -x "$qga_sshd" ] || break
done
[ -x "$qga_sshd" ] || { echo 'no sshd is installed'; exit 1; }
set -- /etc/ssh/ssh_host_*_key
if [ -r /etc/ssh/sshd_config ]; then
  while read -r qga_word qga_path; do
    case $qga_word in [Hh]ost[Kk]ey) set -- "$@" "$qga_path" ;; esac
  done </etc/ssh/sshd_config
fi
for qga_path; do
  if IFS= read -r qga_key <"$qga_path.pub"; then echo "key $qga_key"; fi
done 2>/dev/null
[ -d /run/sshd ] || mkdir -p /run/sshd 2>/dev/null # where Debian's sshd has its half without rights
echo
exec "$qga_sshd" -i
