#!/bin/sh
# sh run.sh demo            makes .venv if needed, then runs the demo
# sh run.sh test [...]      the same, then the tests; further arguments go to pytest
# sh run.sh lint            the linter
# sh run.sh APP [flags]     any app in apps/, such as: sh run.sh invert --help
#
# PYTHON=/path/to/python3.x chooses the interpreter the environment is made with.
set -u
cd "$(dirname "$0")" || exit 1
venv=.venv
python=$venv/bin/python

fail() {
    printf 'run.sh: %s\n' "$*" >&2
    exit 1
}

find_python() {
    for candidate in ${PYTHON:-python3.13 python3.12 python3.11 python3 python}; do
        if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
            >/dev/null 2>&1; then
            echo "$candidate"
            return
        fi
    done
    fail "no Python 3.11, 3.12 or 3.13 found (TensorFlow 2.21 runs on these)." \
        "Install one, or name it: PYTHON=/path/to/python3.11 sh run.sh ..."
}

make_venv() {
    if "$python" -m pip --version >/dev/null 2>&1; then
        return
    fi
    # Absent, or left half made by an install that was stopped.
    base=$(find_python) || exit 1
    echo "Making $venv with $base ..." >&2
    rm -rf "$venv"
    "$base" -m venv "$venv" >&2 ||
        fail "$base cannot make a virtual environment (see above)." \
            "On Debian and Ubuntu: apt install python3-venv"
}

# install FILE: installs a requirements file unless its present contents are installed.
install() {
    stamp="$venv/.installed-$(echo "$1" | tr / -)"
    want=$(cksum <"$1")
    if [ -x "$python" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$want" ]; then
        return
    fi
    make_venv
    echo "Installing $1 (a few minutes, once) ..." >&2
    log="$venv/install.log"
    if ! "$python" -m pip install --disable-pip-version-check -r "$1" >"$log" 2>&1; then
        tail -n 15 "$log" >&2
        if grep -q -e 'Retrying' -e 'NewConnectionError' -e 'name resolution' "$log"; then
            fail "the package index cannot be reached. Check the network, or name a mirror:" \
                "PIP_INDEX_URL=https://... sh run.sh ..."
        elif grep -q -e 'No space left' "$log"; then
            fail "the disk is full: the environment needs about 3 GB."
        elif grep -q -e 'No matching distribution' "$log"; then
            fail "a package has no version for this Python and machine (see above)." \
                "Name another Python: PYTHON=/path/to/python3.11 sh run.sh ..."
        fi
        fail "installing $1 failed (see above; the whole log is $log)."
    fi
    echo "$want" >"$stamp"
}

if [ $# -eq 0 ]; then
    sed -n '2,7s/^# \{0,1\}//p' "$0"
    exit 2
fi
app=$1
shift
case $app in
test | lint) ;;
*)
    [ -f "apps/$app.py" ] && [ "$app" != common ] && [ "$app" != inversions ] ||
        fail "there is no app '$app'. There are: $(grep -l '^_.*flags' apps/*.py |
            sed 's/.*\///; s/\.py$//' | grep -v common | tr '\n' ' ')"
    ;;
esac
install requirements.txt
case $app in
test)
    install tests/requirements.txt
    exec "$python" -m pytest "$@"
    ;;
lint)
    install tests/requirements.txt
    "$python" -m ruff check . && exec "$python" -m ruff format --check .
    ;;
*)
    exec "$python" -m "apps.$app" "$@"
    ;;
esac
