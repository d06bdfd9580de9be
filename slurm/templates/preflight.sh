#!/bin/bash
# Checks everything that can be checked before the job is handed in. --deep also decodes every photo.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
failed=0
fine() { printf 'ok    %s\n' "$*"; }
fail() {
    printf 'FAIL  %s\n' "$*"
    failed=1
}

sums=$(sed -n 's/^ *"\(.*\)": {"sha256": "\([0-9a-f]*\)".*/\2  \1/p' manifest.json 2>/dev/null || true)
if [ -z "$sums" ]; then
    fail "manifest.json is missing or damaged: unpack the bundle again."
else
    damaged=$(sha256sum --check --quiet 2>/dev/null <<<"$sums" | sed 's/: [A-Z].*$//' || true)
    while IFS= read -r file; do
        case $file in
        '') ;;
        config.toml | classify.toml | *.sbatch | env.sh) printf 'note  %s was changed since the bundle was made.\n' "$file" ;;
        *) fail "$file is damaged or missing: copy the bundle here again, or unpack it again." ;;
        esac
    done <<<"$damaged"
    [ "$failed" = 1 ] || fine "files: $(wc -l <<<"$sums") as they were made"
fi

if ! command -v sbatch >/dev/null; then
    fail "sbatch is missing: run this on the cluster's login node."
elif ! sinfo --noheader >/dev/null 2>&1; then
    fail "Slurm does not answer (sinfo fails): wait a while, or ask the cluster's operators."
else
    mkdir -p "$run_folder"
    if told=$(sbatch --test-only @SBATCH@ 2>&1); then
        fine "Slurm takes the job: ${told#sbatch: }"
    else
        fail "Slurm refuses the job (${told##*error: }): compare partition, gres, memory and time in @SBATCH@ with 'sinfo -o \"%P %G %l %m\"'."
    fi
fi

if [ ! -x "$python" ]; then
    fail "There is no environment at $environment: run ./setup_env.sh first."
elif ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    fail "$python is older than Python 3.11 or does not start: run ./setup_env.sh with another environment in env.sh."
else
    "$python" -m @CHECK@ "$@" || failed=1
fi

if [ "$failed" = 1 ]; then
    echo "Something is missing: see the lines that begin with FAIL." >&2
    exit 1
fi
echo "Everything is ready."
