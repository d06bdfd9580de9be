#!/bin/sh
# Installs what packaging/debian-packages.txt lists, or says the exact line to type where that is not possible.
set -eu
here=$(dirname "$0")
command -v dpkg-query >/dev/null 2>&1 || exit 0 # not a Debian: the README says what the window needs

missing=""
names=$(grep -v '^#' "$here/debian-packages.txt")
for package in $names; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing Debian packages:$missing"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086 # one word a package is meant
    apt-get install -y -qq --no-install-recommends $missing >/dev/null
else
    echo "These Debian packages are missing. Please type:"
    echo "    sudo apt-get install -y$missing"
    exit 1
fi
