#!/bin/bash
# Makes the environment that the training runs in, or reuses it. Deletes nothing; may be run again at any time.
set -euo pipefail
cd "$(dirname "$0")"
# shellcheck source=env.sh
. ./env.sh
lock=$PWD/src/requirements.lock

lacking() { # what the lock list asks for and the environment has not, one a line
    "$python" - "$lock" <<'PYTHON'
import sys
from importlib.metadata import PackageNotFoundError, version

for line in open(sys.argv[1], encoding="utf-8"):
    name, _, wanted = line.strip().partition("==")
    if not wanted or line.startswith("#"):
        continue
    try:
        found = version(name).split("+")[0]
    except PackageNotFoundError:
        found = "missing"
    if found != wanted:
        print(f"{name} {wanted} (here: {found})")
PYTHON
}

if [ "$environment_kind" = python ]; then
    [ -x "$python" ] || { echo "There is no Python at $python: correct 'environment' in env.sh." >&2; exit 1; }
    echo "Uses $python as it is (env.sh says so); nothing was installed."
    exit 0
fi
if [ -x "$python" ]; then
    if missing=$(lacking) && [ -z "$missing" ]; then
        echo "The environment in $environment is ready: nothing to do."
        exit 0
    fi
    echo "Completing the environment in $environment"
elif [ -e "$environment" ]; then
    echo "$environment exists and is no environment: it is left alone. Choose another path in env.sh." >&2
    exit 1
elif [ "$environment_kind" = conda ]; then
    conda=$(command -v conda || true)
    for place in "$HOME/miniforge3" "$HOME/miniconda3" "$HOME/software/miniforge3"; do
        [ -n "$conda" ] || [ ! -x "$place/bin/conda" ] || conda=$place/bin/conda
    done
    if [ -z "$conda" ]; then
        echo "conda is missing. Install Miniforge once, as conda-forge.org/download says, then run this again," >&2
        echo "or set environment_kind=venv in env.sh where Python 3.11 or newer is there ('module avail python')." >&2
        exit 1
    fi
    "$conda" create --yes --prefix "$environment" --override-channels --channel conda-forge python=3.11 pip
else
    base=
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
            base=$name
            break
        fi
    done
    if [ -z "$base" ]; then
        echo "Python 3.11 or newer is missing here: add its module to 'modules' in env.sh ('module avail python')." >&2
        exit 1
    fi
    "$base" -m venv "$environment"
fi
"$python" -m pip install --disable-pip-version-check --requirement "$lock"
echo "The environment in $environment is ready."
