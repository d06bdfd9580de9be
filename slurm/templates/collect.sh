#!/bin/bash
# Packs what the run left (model, figures, curves, log, checksums) into one file to bring home.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
"$python" -m trainer.job collect
cat <<TEXT
On your own computer:  scp YOUR_NAME@@LOGIN@:$(printf '%q' "$PWD")/result-$run.tar.gz .
Then drop that file on gcdesk's window, or type: gcdesk talc import result-$run.tar.gz
TEXT
