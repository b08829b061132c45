#!/bin/sh
# Install the project from this kit, without network: sh install_offline.sh [FOLDER] [PYTHON]
# FOLDER is made (oddemo-workshop if not given); PYTHON is an interpreter of the kit's version. Ends with `oddemo doctor`.
set -eu

kit=$(cd "$(dirname "$0")" && pwd)
folder=${1:-oddemo-workshop}
start=$(date +%s)

refuse() {
  echo "install: $1" >&2
  echo "  do: $2" >&2
  exit 2
}

about() {
  sed -n "s/^$1=//p" "$kit/ABOUT"
}

[ -f "$kit/CHECKSUMS" ] && [ -f "$kit/ABOUT" ] ||
  refuse "this kit is not whole." "copy the folder again, or run make wheelhouse again"
version=$(about python)
python=${2:-python$version}
found=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null || echo none)
[ "$found" = "$version" ] ||
  refuse "this kit is for Python $version; $python is ${found}." "name one: sh install_offline.sh $folder /path/to/python"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
  refuse "Python $version is here, but not its venv module." "install it (Debian and Ubuntu: the package python$version-venv)"
if [ -e "$folder" ] && [ -n "$(ls -A "$folder" 2>/dev/null)" ]; then
  refuse "$folder exists and is not empty." "name another folder"
fi
mkdir -p "$folder"
need_mb=$(about installed_mb)
free_mb=$(df -Pk "$folder" | awk 'NR == 2 { print int($4 / 1024) }')
[ "$free_mb" -ge "$need_mb" ] ||
  refuse "$free_mb MB are free for $folder, and $need_mb MB are needed." "make room, or name a folder on another disk"

echo "Checking the kit"
check="sha256sum --check --quiet"
command -v sha256sum > /dev/null || check="shasum --algorithm 256 --check --quiet"
(cd "$kit" && $check CHECKSUMS) || refuse "files of this kit are damaged; see above." "copy the folder again"

echo "Unpacking the project (commit $(about commit))"
tar -xzf "$kit/oddemo.tar.gz" -C "$folder" --strip-components 1
cd "$folder"
echo "Making .venv with $("$python" --version)"
"$python" -m venv .venv
touch .venv/unfinished
echo "Installing $(grep -c . "$kit/requirements.txt") packages; this takes minutes"
# Other settings of pip, a constraint for instance, belong to another world than this kit.
PIP_CONFIG_FILE=/dev/null .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-index --no-deps \
  --ignore-requires-python --require-hashes --find-links "$kit/wheels" --find-links "$kit/built" \
  --requirement "$kit/requirements.txt"
VIRTUAL_ENV="$PWD/.venv" .venv/bin/uv pip install --quiet --offline --no-deps --no-build-isolation --editable .
# What `make` looks for: with it, every target runs here without network.
cp requirements.lock .venv/installed.lock
rm .venv/unfinished
echo "Installed in $(($(date +%s) - start)) s"
.venv/bin/oddemo doctor
echo "Next: cd $folder && .venv/bin/oddemo doctor --room, then make lab"
