#!/bin/sh
# Removes gcdesk from the user's home: uninstall.sh [--data]
# Settings, sessions and models are kept, unless --data says that they go too.
set -eu

: "${HOME:?HOME is not set}"
program=$(cd "$(dirname "$0")/.." && pwd)
data=${XDG_DATA_HOME:-$HOME/.local/share}
case ${1:-} in
    "" | --data) ;;
    *) echo "usage: uninstall.sh [--data]" >&2; exit 2 ;;
esac
[ -x "$program/gcdesk-console" ] || { echo "$program is no gcdesk." >&2; exit 1; }

for name in gcdesk gcdesk-console; do
    link=$HOME/.local/bin/$name
    if [ "$(readlink "$link" 2>/dev/null || :)" = "$program/$name" ]; then rm -f "$link"; fi
done
rm -f "$data/applications/gcdesk.desktop" "$data/mime/packages/gcdesk.xml"
rm -f "$data"/icons/hicolor/*/apps/gcdesk.png "$data/icons/hicolor/scalable/apps/gcdesk.svg"
if command -v update-mime-database >/dev/null && [ -d "$data/mime" ]; then update-mime-database "$data/mime" 2>/dev/null || :; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database "$data/applications" 2>/dev/null || :; fi
rm -rf "$program"

if [ "${1:-}" = --data ]; then
    rm -rf "$data/gcdesk" "${XDG_CONFIG_HOME:-$HOME/.config}/gcdesk" "${XDG_CACHE_HOME:-$HOME/.cache}/gcdesk" \
        "${XDG_STATE_HOME:-$HOME/.local/state}/gcdesk"
    echo "gcdesk is removed, and its settings, sessions and models too."
else
    echo "gcdesk is removed. Settings, sessions and models are kept in $data/gcdesk."
fi
