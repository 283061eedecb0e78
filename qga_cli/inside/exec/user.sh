# shellcheck shell=sh
# shellcheck disable=SC2154  # qga_user, a name or a uid, is set in front of this text
# Looks a user up: qga_name, qga_uid, qga_gid, qga_home. As with docker exec a uid has the entry's
# group and folder. One without an entry has no name, and the group of its own number: not root's.
if qga_x=$(getent passwd "$qga_user" 2>/dev/null); then
  # shellcheck disable=SC2034  # what follows this text reads them
  IFS=: read -r qga_name qga_x qga_uid qga_gid qga_x qga_home qga_x <<.
$qga_x
.
else
  # A guest without getent, musl's and busybox's.
  while IFS=: read -r qga_name qga_x qga_uid qga_gid qga_x qga_home qga_x; do
    [ "$qga_name" != "$qga_user" ] && [ "$qga_uid" != "$qga_user" ] || break
    qga_uid=
  done </etc/passwd
fi
if [ -z "$qga_uid" ]; then
  case $qga_user in *[!0-9]*) echo "no user $qga_user" >&2; exit 96 ;; esac
  # shellcheck disable=SC2034  # for the script that follows
  qga_name='' qga_uid=$qga_user qga_gid=$qga_user qga_home=/
fi
