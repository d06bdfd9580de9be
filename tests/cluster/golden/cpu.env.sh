# shellcheck shell=bash
# What the other scripts share: modules, the environment's Python, and the code that this bundle brings along.
# They read it from the bundle's folder. Change it when the cluster has other modules or another environment.
run=cpu
environment_kind=python
environment=/opt/python/bin/python3
modules=()

run_folder=runs/$run
case $environment_kind in
python) python=$environment ;;
*) python=$environment/bin/python ;;
esac

for name in ${modules[@]+"${modules[@]}"}; do
    if ! command -v module >/dev/null; then
        echo "The command 'module' is missing, and env.sh asks for $name: log in again with 'bash -l'." >&2
        exit 1
    fi
    module load "$name"
done

# This job runs the code of its own bundle, whatever else the environment holds; weights are fetched into init/.
export run run_folder python
export PYTHONPATH=$PWD/src/gcdesk-VERSION.whl PYTHONNOUSERSITE=1 PYTHONUNBUFFERED=1 TORCH_HOME=$PWD/init/torch
# Nothing reports home, and nothing is fetched by a library on its own.
export ORT_DISABLE_TELEMETRY=1 HF_HUB_DISABLE_TELEMETRY=1 DO_NOT_TRACK=1 HF_HUB_OFFLINE="${HF_HUB_OFFLINE:-1}"
