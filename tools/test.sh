#!/usr/bin/env bash
# Every check of the project, part by part; `make test` calls this. The exit status is that of the first part that failed.
#   bash tools/test.sh [lint] [tests] [notebooks] [site]     some parts alone
#   WORKERS=4 bash tools/test.sh                              more than two at a time; each takes about 3 GB
set -uo pipefail

first_failure=0
# One file stays with one worker, so that what its fixtures made is made once.
side_by_side=(-n "${WORKERS:-2}" --dist loadfile)
summary=()

part() {
  local name=$1 start=$SECONDS status=0
  shift
  echo "── $name"
  "$@" || status=$?
  summary+=("$(printf '%-10s %4d s  %s' "$name" $((SECONDS - start)) "$([ $status -eq 0 ] && echo passed || echo "failed ($status)")")")
  if [ $first_failure -eq 0 ]; then first_failure=$status; fi
}

lint() {
  local status=0
  .venv/bin/ruff check --quiet . || status=1
  .venv/bin/ruff format --check . || status=1
  .venv/bin/mypy || status=1
  return $status
}

tests() {
  # In the order of their names: left to itself, xdist keeps the files with the fewest tests for the end, and some of
  # these are the longest.
  .venv/bin/python -m pytest "${side_by_side[@]}" --no-loadscope-reorder --durations=10 tests
}

notebooks() {
  .venv/bin/python tools/notebooks.py check || return
  local found
  found=$(find notebooks -maxdepth 1 -name '*.ipynb' | sort)
  if [ -z "$found" ]; then
    echo "no notebook yet"
    return
  fi
  # shellcheck disable=SC2086 — the names hold no spaces: the check above sees to it.
  .venv/bin/python -m pytest --nbval --nbval-current-env --nbval-cell-timeout=120 "${side_by_side[@]}" --durations=10 $found
}

site() {
  .venv/bin/python tools/make_site.py || return
  # The pages as a browser shows them; the part `tests` does the same where there are pages.
  .venv/bin/python -m pytest tests/test_site_pages.py
}

# Of two processors, making the pages leaves one free for much of its time, and so does the style: side by side. The
# pages are there long before the tests come to look at them.
begin_site() {
  site_log=$(mktemp)
  .venv/bin/python tools/make_site.py > "$site_log" 2>&1 &
  site_job=$!
  trap 'kill "$site_job" 2> /dev/null; rm -f "$site_log"' EXIT
}

end_site() {
  local status=0
  wait "$site_job" || status=$?
  cat "$site_log"
  rm -f "$site_log"
  trap - EXIT
  return $status
}

if [ $# -gt 0 ]; then
  for name in "$@"; do
    for one in $name; do part "$one" "$one"; done
  done
else
  begin_site
  part lint lint
  part tests tests
  part site end_site
  part notebooks notebooks
fi
echo "──"
printf '%s\n' "${summary[@]}" "$(printf '%-10s %4d s' 'in all' "$SECONDS")"
exit "$first_failure"
