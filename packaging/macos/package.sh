#!/bin/sh
# macOS: signs dist/<name>/gcdesk.app and puts it in a disk image. Called by packaging/freeze.py:
#   packaging/macos/package.sh FOLDER VERSION
#
# Signing: set GCDESK_SIGN to the name of a "Developer ID Application" certificate in the keychain, and
# GCDESK_NOTARY to a profile made with `xcrun notarytool store-credentials`. Without them the app is signed ad hoc:
# it runs on the computer that built it, and elsewhere after a right click, Open, Open.
set -eu

folder=$1
version=$2
app=$folder/gcdesk.app
here=$(cd "$(dirname "$0")" && pwd)
image=$folder/gcdesk-$version-$(basename "$folder")-macos-$(uname -m).dmg

[ -d "$app" ] || { echo "$app is not there" >&2; exit 1; }
# The licences and the bill of materials were written beside, after the app was bundled.
mkdir -p "$app/Contents/Resources/resources/licences"
cp "$folder/gcdesk/_internal/resources/licences/"* "$app/Contents/Resources/resources/licences/"

identity=${GCDESK_SIGN:--}
# The hardened runtime is needed to be notarised; the entitlement lets Python load the libraries beside it.
set -- --force --deep --timestamp --options runtime --entitlements "$here/entitlements.plist"
[ "$identity" != - ] || set -- --force --deep
codesign "$@" --sign "$identity" "$app"
codesign --verify --deep --strict "$app"

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
cp -R "$app" "$stage/"
ln -s /Applications "$stage/Applications"
rm -f "$image"
hdiutil create -quiet -volname gcdesk -srcfolder "$stage" -format UDZO "$image"
if [ "$identity" != - ] && [ -n "${GCDESK_NOTARY:-}" ]; then
    xcrun notarytool submit "$image" --keychain-profile "$GCDESK_NOTARY" --wait
    xcrun stapler staple "$image"
fi
echo "$image"
