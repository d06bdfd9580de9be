#!/bin/sh
# Installs gcdesk for the present user, without administrator rights: ./install.sh [FOLDER]
# FOLDER is where the program goes, ~/.local/opt/gcdesk where none is given. Installing again updates it; settings,
# sessions and models are left alone. To remove it: FOLDER/share/uninstall.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
: "${HOME:?gcdesk is installed to your home folder, and HOME is not set}"
data=${XDG_DATA_HOME:-$HOME/.local/share}
target=${1:-$HOME/.local/opt/gcdesk}
case $target in /*) ;; *) target=$PWD/$target ;; esac

fail() {
    echo "gcdesk was not installed: $1" >&2
    exit 1
}

[ -x "$here/gcdesk/gcdesk" ] || fail "the folder gcdesk is not beside this script; unpack the whole archive."
if [ -e "$target" ] && [ ! -x "$target/gcdesk-console" ]; then
    fail "$target is there and is something else."
fi
for link in /proc/[0-9]*/exe; do
    case $(readlink "$link" 2>/dev/null || :) in
        "$target"/*) fail "gcdesk is running; close it and try again." ;;
    esac
done

# All of the new program lies beside the old one before they change places.
mkdir -p "$(dirname "$target")" || fail "$(dirname "$target") cannot be made."
rm -rf "$target.new" "$target.old"
cp -R "$here/gcdesk" "$target.new" || { rm -rf "$target.new"; fail "there is not enough room in $(dirname "$target")."; }
"$target.new/gcdesk-console" --version >/dev/null || { rm -rf "$target.new"; fail "it does not run on this system."; }
[ ! -e "$target" ] || mv "$target" "$target.old"
mv "$target.new" "$target"
rm -rf "$target.old"

bin=$HOME/.local/bin
mkdir -p "$bin" "$data/applications" "$data/mime/packages" "$data/icons/hicolor/scalable/apps"
for program in gcdesk gcdesk-console; do
    ln -sf "$target/$program" "$bin/$program"
done
# The Exec key has its own quoting: \ and " and $ and ` inside quotes, % doubled, and \ once more for the file.
quoted=$(printf '%s' "$target/gcdesk" | sed -e 's/[\\"$`]/\\\\&/g' -e 's/%/%%/g')
plain=$(printf '%s' "$target/gcdesk" | sed -e 's/\\/\\\\/g')
awk -v quoted="$(printf '%s' "$quoted" | sed 's/\\/\\\\/g')" -v plain="$(printf '%s' "$plain" | sed 's/\\/\\\\/g')" '
    function put(line, word,   at) {
        at = index(line, "@EXEC@")
        return substr(line, 1, at - 1) word substr(line, at + 6)
    }
    /^Exec=/ { $0 = put($0, quoted) }
    /^TryExec=/ { $0 = put($0, plain) }
    { print }
' "$target/share/gcdesk.desktop" >"$data/applications/gcdesk.desktop"
cp "$target/share/gcdesk-mime.xml" "$data/mime/packages/gcdesk.xml"
cp "$target/share/gcdesk.svg" "$data/icons/hicolor/scalable/apps/gcdesk.svg"
for size in 48 128 256; do
    mkdir -p "$data/icons/hicolor/${size}x$size/apps"
    cp "$target/share/gcdesk-$size.png" "$data/icons/hicolor/${size}x$size/apps/gcdesk.png"
done
chmod +x "$target/share/uninstall.sh"
if command -v update-mime-database >/dev/null; then update-mime-database "$data/mime" 2>/dev/null || :; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database "$data/applications" 2>/dev/null || :; fi

echo "$("$target/gcdesk-console" --version) is installed in $target."
case :$PATH: in
    *:"$bin":*) echo "Start it from the menu, or type: gcdesk" ;;
    *) echo "Start it from the menu, or type: $bin/gcdesk" ;;
esac
