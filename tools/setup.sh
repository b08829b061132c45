#!/bin/sh
# Make .venv from requirements.lock. `make` calls this from the top of the checkout, and again if it was interrupted.
set -eu

# The first Python that is in range and can make environments; PYTHON=… allows only that one.
choose_python() {
  for candidate in ${PYTHON:-python3.11 python3.12 python3.10 python3}; do
    "$candidate" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null || continue
    if "$candidate" -c 'import ensurepip, venv' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
    without_venv=$("$candidate" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  done
  if [ -n "${without_venv:-}" ]; then
    echo "make: Python $without_venv is here, but not its venv module." >&2
    echo "  do: install it (Debian and Ubuntu: apt install python$without_venv-venv) and run make again" >&2
  else
    echo "make: no suitable Python was found." >&2
    echo "  expected: Python 3.10, 3.11 or 3.12 (TensorFlow 2.20 and its companions are tested there)" >&2
    echo "  found: $(${PYTHON:-python3} --version 2>&1 | head -n 1)" >&2
    echo "  do: install one, or name it (make setup PYTHON=/path/to/python3.11), or use conda with environment.yml" >&2
  fi
  return 1
}

# An environment that still runs, of a Python in range, made in this place, and not left half-filled.
usable() {
  [ ! -e .venv/unfinished ] &&
    .venv/bin/python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null &&
    grep -qF "$(pwd)/.venv/bin/" .venv/bin/pip 2>/dev/null
}

start=$(date +%s)
rm -f .venv/ready-*
if ! usable; then
  python=$(choose_python)
  echo "Making .venv with $("$python" --version) ($python)"
  "$python" -m venv --clear .venv
fi

# uv in the lock's version, checked against the lock's hashes; sync keeps it, because the lock holds it.
wanted=$(sed -n 's/^uv==\([^ ;]*\).*/\1/p' requirements.lock)
if [ "$(.venv/bin/uv --version 2>/dev/null | cut -d ' ' -f 2)" != "$wanted" ]; then
  echo "Installing uv $wanted"
  sed -n '/^uv==/,/[^\\]$/p' requirements.lock > .venv/uv.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r .venv/uv.txt || {
    echo "make: uv could not be fetched; the first run needs a package index within reach." >&2
    exit 1
  }
fi

export VIRTUAL_ENV="$PWD/.venv"
if ! cmp -s requirements.lock .venv/installed.lock; then
  echo "Installing the packages of requirements.lock (3.5 GB; the first time takes minutes)"
  rm -f .venv/installed.lock
  touch .venv/unfinished
  [ -t 2 ] && quiet= || quiet=--quiet
  # Compiled here once: where Python writes no bytecode itself, each import of TensorFlow would take 7 s longer.
  if ! .venv/bin/uv pip sync $quiet --require-hashes --compile-bytecode requirements.lock; then
    echo "uv could not install them; trying pip, which reads pip's own settings" >&2
    .venv/bin/python -m pip install --disable-pip-version-check --no-deps --require-hashes -r requirements.lock || {
      rm .venv/unfinished  # both fetch everything before they change anything
      echo "make: the packages could not be installed; see above. The next run tries again." >&2
      exit 1
    }
  fi
  cp requirements.lock .venv/installed.lock
  rm .venv/unfinished
fi
.venv/bin/uv pip install --quiet --offline --no-deps --no-build-isolation --editable .
echo "Ready after $(($(date +%s) - start)) s; \`. .venv/bin/activate\` makes oddemo a command of this shell"
