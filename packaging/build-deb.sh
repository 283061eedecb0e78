#!/bin/sh
# Builds the Debian package of the last commit into dist/ and runs lintian over it.
# Installs what it builds with, by sudo for an ordinary user.
set -eu
cd "$(dirname "$0")/.."
needed="build-essential debhelper dh-python lintian pybuild-plugin-pyproject python3-all python3-hatchling"
# shellcheck disable=SC2086  # a list of packages
if ! dpkg -s $needed >/dev/null 2>&1; then
  sudo=; [ "$(id -u)" = 0 ] || sudo=sudo
  $sudo apt-get -qq update
  # shellcheck disable=SC2086  # likewise, a list
  $sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends $needed
fi

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' qga_cli/__init__.py)
mkdir "$build/qga"
git archive HEAD | tar -x -C "$build/qga"
cp -r packaging/debian "$build/qga/debian"
# The date of the commit: the same sources always make the same package.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct)
export SOURCE_DATE_EPOCH
sed "s/@VERSION@/$version/; s/@DATE@/$(date -u -R -d "@$SOURCE_DATE_EPOCH")/" \
  packaging/debian/changelog.in >"$build/qga/debian/changelog"
rm "$build/qga/debian/changelog.in"
(cd "$build/qga" && dpkg-buildpackage --build=binary --unsigned-changes --unsigned-buildinfo >"$build/log" 2>&1) || {
  cat "$build/log" >&2
  exit 1
}
lintian --fail-on error,warning --tag-display-limit 0 "$build"/*.deb
mkdir -p dist
mv "$build"/*.deb dist/
echo "dist/qga_${version}_all.deb"
