#!/bin/bash
# Checks, then hands the job to Slurm. --again: also when this run was handed in before; it goes on where it was.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
again=0
checks=()
for word in "$@"; do
    case $word in
    --again) again=1 ;;
    --deep) checks+=(--deep) ;;
    *)
        echo "Usage: ./submit.sh [--again] [--deep]" >&2
        exit 2
        ;;
    esac
done

jobs=$run_folder/jobs.txt
if [ -s "$jobs" ] && [ "$again" = 0 ]; then
    echo "This run was handed in before, as job $(tail -n 1 "$jobs"). To go on with it: ./submit.sh --again" >&2
    exit 3
fi
if [ -n "$(squeue --noheader --name="gcdesk-$run" --format=%i 2>/dev/null)" ]; then
    echo "This run is in the queue already: watch it with squeue --name=gcdesk-$run" >&2
    exit 3
fi
if ! ./preflight.sh ${checks[@]+"${checks[@]}"}; then
    echo "The job was not handed in." >&2
    exit 1
fi
mkdir -p "$run_folder"
job=$(sbatch --parsable train.sbatch)
job=${job%%;*}
echo "$job" >>"$jobs"
if [ -f rank.sbatch ]; then
    rank=$(sbatch --parsable --dependency="afterany:$job" rank.sbatch)
    echo "A sweep of many trainings; job ${rank%%;*} ranks them when the last one has ended."
fi
cat <<TEXT
Handed in as job $job.
  Does it wait or run?   squeue --job $job
  What does it say?      tail -F $run_folder/slurm-${job}*.out
  Stop it:               scancel $job
When squeue shows it no more: ./collect.sh
TEXT
