#!/bin/sh
# sh run.sh demo            makes .venv if needed, then runs the demo
# sh run.sh test [...]      the same, then the tests; further arguments go to pytest
# sh run.sh lint            the linter, types, and who imports whom
# sh run.sh coverage [...]  the tests, and what of tfvis they run
# sh run.sh notebooks       executes docs/notebooks in place, or those that are named
# sh run.sh test-studio     the page of studio, in a Chromium that is installed
# sh run.sh APP [flags]     any app in apps/, such as: sh run.sh invert --help
#
# PYTHON=/path/to/python3.x chooses the interpreter the environment is made with.
set -u
root=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 1
venv=$root/.venv
python=$venv/bin/python
# Written by make_venv: only an environment made here is ever deleted here.
ours=$venv/.made-by-run.sh

fail() {
    printf 'run.sh: %s\n' "$*" >&2
    exit 1
}

fits() {
    "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
        >/dev/null 2>&1
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        fits "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11, 3.12 or 3.13."
        printf '%s\n' "$PYTHON"
        return
    fi
    for candidate in python3.13 python3.12 python3.11 python3 python; do
        if fits "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found (TensorFlow 2.21 runs on these)." \
        "Install one, or name it: PYTHON=/path/to/python3.11 sh run.sh ..."
}

# Makes the environment, unless there is a sound one already.
make_venv() {
    if fits "$python" && {
        [ -e "$venv/.installed-requirements.txt" ] || "$python" -m pip --version >/dev/null 2>&1
    }; then
        # Another interpreter asked for: made again, if it is ours to delete.
        [ -n "${PYTHON:-}" ] && [ "$(cat "$ours" 2>/dev/null)" != "$PYTHON" ] || return 0
    fi
    if [ -e "$venv" ] && [ ! -e "$ours" ]; then
        fail "$venv was not made by run.sh, and lacks pip or is not the Python asked for." \
            "Move it away, or install pip into it, and try again."
    fi
    base=$(find_python) || exit 1
    echo "Making $venv with $base ..." >&2
    rm -rf "$venv"
    # The mark comes first, so that an environment left half made can be made again.
    mkdir -p "$venv" && printf '%s\n' "$base" >"$ours" || fail "cannot write to $root."
    "$base" -m venv "$venv" >&2 && [ -x "$python" ] ||
        fail "$base cannot make a virtual environment (see above)." \
            "On Debian and Ubuntu: apt install python3-venv"
}

# install FILE: installs a requirements file unless its present contents are installed.
install() {
    stamp=$venv/.installed-$(echo "$1" | tr / -)
    want=$(cksum <"$root/$1")
    [ "$(cat "$stamp" 2>/dev/null)" = "$want" ] && return
    echo "Installing $1 (a few minutes, once) ..." >&2
    log=${TMPDIR:-/tmp}/tfvis-install-$$.log
    if ! "$python" -m pip install --disable-pip-version-check -r "$root/$1" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        if grep -q -e 'No space left' "$log"; then
            fail "the disk is full: the environment needs about 3 GB. Log: $log"
        elif grep -q -e 'from versions: none' "$log"; then
            fail "the package index cannot be reached, or lacks a package for this Python and" \
                "machine (see above). Check the network, name a mirror (PIP_INDEX_URL=https://..." \
                "sh run.sh ...) or another Python (PYTHON=/path/to/python3.11). Log: $log"
        elif grep -q -e 'No matching distribution' "$log"; then
            fail "a package has no version for this Python and machine (see above)." \
                "Name another Python: PYTHON=/path/to/python3.11 sh run.sh ... Log: $log"
        fi
        fail "installing $1 failed (see above). Log: $log"
    fi
    rm -f "$log"
    echo "$want" >"$stamp"
}

apps() {
    for file in "$root"/apps/*.py; do
        grep -q '^    common.run(main' "$file" && basename "$file" .py
    done
}

if [ $# -eq 0 ]; then
    sed -n '2,10s/^# \{0,1\}//p' "$root/run.sh"
    exit 2
fi
app=$1
shift
case $app in
test | test-studio | lint | coverage | notebooks) ;;
*)
    apps | grep -qx -e "$app" ||
        fail "there is no app '$app'. There are: $(apps | tr '\n' ' ')"
    ;;
esac
make_venv
install requirements.txt
case $app in
test)
    install tests/requirements.txt
    cd "$root" && exec "$python" -m pytest "$@"
    ;;
test-studio)
    install requirements-studio.txt
    install tests/requirements.txt
    install tests/requirements-studio.txt
    cd "$root" && TFVIS_TEST_STUDIO=1 exec "$python" -m pytest -n0 tests/apps/studio_page \
        tests/experiments/studio "$@"
    ;;
coverage)
    install tests/requirements.txt
    cd "$root" && exec "$python" -m pytest --cov=tfvis --cov-report=term:skip-covered "$@"
    ;;
notebooks)
    install tests/requirements.txt
    cd "$root" && exec "$python" -m tools.notebooks "$@"
    ;;
lint)
    install tests/requirements.txt
    cd "$root" && "$python" -m ruff check . && "$python" -m ruff format --check . || exit
    # Not by its script, which names the folder it was installed in.
    "$python" -c 'from importlinter.cli import lint_imports_command as lint; lint()' --no-cache &&
        exec "$python" -m mypy
    ;;
*)
    [ "$app" = studio ] && install requirements-studio.txt
    # From where the person is, so that their relative paths mean what they say.
    PYTHONPATH=$root${PYTHONPATH:+:$PYTHONPATH} exec "$python" -m "apps.$app" "$@"
    ;;
esac
