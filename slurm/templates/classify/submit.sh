#!/bin/bash
# Checks, then hands in three jobs: list the photos, classify them in many tasks, merge the rows.
# --again: also when this run was handed in before; only tasks that are not finished are.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
again=0
for word in "$@"; do
    case $word in
    --again) again=1 ;;
    *)
        echo "Usage: ./submit.sh [--again]" >&2
        exit 2
        ;;
    esac
done

jobs=$run_folder/jobs.txt
if [ -s "$jobs" ] && [ "$again" = 0 ]; then
    echo "This run was handed in before, as job $(tail -n 1 "$jobs"). To go on with it: ./submit.sh --again" >&2
    exit 3
fi
if [ -n "$(squeue --noheader --name="gcdesk-$run,merge-$run" --format=%i 2>/dev/null)" ]; then
    echo "This run is in the queue already: watch it with ./collect.sh --status" >&2
    exit 3
fi
if ! ./preflight.sh; then
    echo "The jobs were not handed in." >&2
    exit 1
fi
mkdir -p "$run_folder"
before=()
tasks=0-$((@TASKS@ - 1))
if [ -d "$run_folder/shards" ]; then
    tasks=$("$python" -m trainer.shards unfinished)
    rm -f "$run_folder"/tasks/*.retries
else
    listing=$(sbatch --parsable list.sbatch)
    before=(--dependency="afterok:${listing%%;*}" --kill-on-invalid-dep=yes)
fi
after=()
if [ -n "$tasks" ]; then
    job=$(sbatch --parsable ${before[@]+"${before[@]}"} --array="$tasks%@AT_ONCE@" classify.sbatch)
    echo "${job%%;*}" >>"$jobs"
    after=(--dependency="afterany:${job%%;*}")
    echo "Handed in as job ${job%%;*}: tasks $tasks, @AT_ONCE@ at the same time."
fi
merge=$(sbatch --parsable ${after[@]+"${after[@]}"} merge.sbatch)
cat <<TEXT
Job ${merge%%;*} merges the rows when all tasks have ended.
  How far is it?   ./collect.sh --status
When squeue --me shows nothing more: ./collect.sh
TEXT
