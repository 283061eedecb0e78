#!/bin/sh
# Builds sdist and wheel twice, which must be equal, installs the wheel into an empty environment,
# and drives it there. Nothing of this checkout is on that environment's path.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
for run in first second; do
  .venv/bin/python -m hatchling build -d "$work/$run" >"$work/log" 2>&1 || { cat "$work/log" >&2; exit 1; }
done
(cd "$work/first" && sha256sum ./*) >"$work/sums"
(cd "$work/second" && sha256sum --quiet --check "$work/sums") || {
  echo "release-check: two builds differ" >&2
  exit 1
}
python3 -m venv "$work/empty"
"$work/empty/bin/pip" install --quiet --disable-pip-version-check "$work"/first/*.whl
cd "$work"
qga=$work/empty/bin/qga
version=$("$qga" --version)
# Without libvirt's binding in it, it takes the system's, or says what to type.
if said=$("$qga" -c test:///default list -o tsv --columns vm 2>&1); then
  [ "$said" = "vm
test" ] || { echo "release-check: $said" >&2; exit 1; }
else
  case $said in
  *"libvirt's Python binding is missing"*) ;;
  *) echo "release-check: $said" >&2; exit 1 ;;
  esac
fi
"$qga" exec --help >/dev/null
"$work/empty/bin/python" -c 'import ansible_collections.qga.guest.plugins.plugin_utils.hosts'
"$qga" completion bash >/dev/null
[ -s "$work/empty/share/man/man1/qga-exec.1" ] || { echo "release-check: no manual pages" >&2; exit 1; }
echo "release-check: $version, built twice alike, installed and driven"
cat "$work/sums"
