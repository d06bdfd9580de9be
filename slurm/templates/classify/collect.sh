#!/bin/bash
# Packs the merged rows into one file to bring home. --status: how far the tasks are, how fast, how long it takes.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
if [ "${1:-}" = --status ]; then
    exec "$python" -m trainer.shards status
fi
"$python" -m trainer.shards collect
cat <<TEXT
On your own computer:  scp YOUR_NAME@@LOGIN@:$(printf '%q' "$PWD")/result-$run.tar.gz .
Then drop that file on gcdesk's window, or type: gcdesk talc import result-$run.tar.gz
TEXT
