#!/bin/sh
# Installs the Debian package dist/*.deb on this machine, uses it as an administrator would, and
# purges it. For a root of its own, as `make test-hosts` makes one: it installs packages.
set -eu
cd "$(dirname "$0")/.."
export DEBIAN_FRONTEND=noninteractive
say() { echo "try-deb: $*"; }
fail() { say "$*" >&2; exit 1; }

apt-get -qq update
find / -xdev \( -name '*qga*' -o -path '/etc/qga*' \) -not -path '/home/*' -not -path '/proc/*' | sort >/tmp/before
apt-get -qq install --yes --no-install-recommends ./dist/*.deb man-db bash-completion qemu-guest-agent >/tmp/apt.log 2>&1 ||
  { cat /tmp/apt.log >&2; fail "apt could not install it"; }
! dpkg -s gcc >/dev/null 2>&1 || say "note: gcc was here already"
cd /
qga --version
[ "$(qga -c test:///default list -o tsv --columns vm)" = "vm
test" ] || fail "libvirt's test driver has no guest 'test'"
# A real agent on a socket. It acts on this machine: only what reads is allowed.
folder=$(mktemp -d)
blocked=$(qemu-ga -b help 2>/dev/null || qemu-ga -b '?')
blocked=$(echo "$blocked" | grep -vE '^(guest-(ping|info|sync|sync-delimited|get-osinfo))$' | paste -sd,)
qemu-ga -m unix-listen -p "$folder/vm.sock" -t "$folder" -b "$blocked" &
agent=$!
i=0; until [ -S "$folder/vm.sock" ]; do i=$((i+1)); [ $i -lt 100 ] || fail "no agent"; sleep 0.1; done
qga -c "unix:$folder/vm.sock" ping vm
[ -n "$(qga -c "unix:$folder/vm.sock" os info vm -o json)" ] || fail "no os info"
qga -c "unix:$folder/vm.sock" exec vm -- true 2>/tmp/refused && fail "exec should be blocked"
grep -q 'blocked\|disabled\|not allowed' /tmp/refused || fail "exec failed otherwise: $(cat /tmp/refused)"
kill $agent
man -w qga-exec qga-exit-codes >/dev/null || fail "no manual page"
for file in bash-completion/completions/qga zsh/site-functions/_qga fish/vendor_completions.d/qga.fish; do
  [ -s "/usr/share/$file" ] || fail "no /usr/share/$file"
done
qga config show >/dev/null
[ -f /etc/qga/config.toml ] || fail "no /etc/qga/config.toml"
apt-get -qq purge --yes qga >/tmp/apt.log 2>&1 || { cat /tmp/apt.log >&2; fail "apt could not purge it"; }
find / -xdev \( -name '*qga*' -o -path '/etc/qga*' \) -not -path '/home/*' -not -path '/proc/*' -not -path '/tmp/*' | sort >/tmp/after
diff /tmp/before /tmp/after || fail "the purge left these"
# shellcheck disable=SC1091  # it is there on every Debian
say "installed, used and purged on $(. /etc/os-release && echo "$PRETTY_NAME")"
