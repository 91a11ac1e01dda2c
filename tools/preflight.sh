#!/bin/sh
# Look at this machine, then make .venv ready. Called by the Makefile, from anywhere:
#   tools/preflight.sh run    what `make run` needs
#   tools/preflight.sh dev    that, and the tools of `make test` and `make check`
#   tools/preflight.sh fuzz   that, and the fuzzer of `make fuzz`, which has wheels for few Pythons
# PYTHON=... picks the interpreter. Nothing is installed when .venv/.installed-* matches constraints.txt,
# pyproject.toml, this folder and the Python; a .venv without that mark is made anew.
set -eu
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.."

die() { printf 'error: %s\n' "$1" >&2; exit 1; }

set_=${1:-run}
case $set_ in run | dev | fuzz) ;; *) die "tools/preflight.sh takes run, dev or fuzz, not '$set_'" ;; esac

# --- git -----------------------------------------------------------------------------------------------------
command -v git >/dev/null 2>&1 || die "git is not installed: install it (DVC needs it), then try again."
if ! prefix=$(git rev-parse --show-prefix 2>&1); then
    case $prefix in
    *dubious*) die "git refuses this folder, another user owns it: git config --global --add safe.directory '$PWD'" ;;
    *) die "$PWD is not a git checkout: get the project with git clone (or run git init here), then try again." ;;
    esac
fi
[ -z "$prefix" ] || die "$PWD lies inside another git checkout: move it out, or run git init here, then try again."

# --- Python --------------------------------------------------------------------------------------------------
probe='import sys; print("%d.%d" % sys.version_info[:2])'
wanted='import sys, ensurepip, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))'

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        found=$("$PYTHON" -c "$probe" 2>/dev/null) || die "PYTHON=$PYTHON does not run: name a Python 3.11, 3.12, 3.13 or 3.14."
        python=$PYTHON
        "$python" -c "$wanted" 2>/dev/null && return
    else
        found=
        for python in python3.14 python3.13 python3.12 python3.11 python3; do
            this=$("$python" -c "$probe" 2>/dev/null) || continue
            "$python" -c "$wanted" 2>/dev/null && { found=$this; return; }
            [ -n "$found" ] || found=$this
        done
    fi
    case $found in
    3.11 | 3.12 | 3.13 | 3.14) die "Python $found lacks venv or ensurepip: install them (Debian, Ubuntu: the package python$found-venv)." ;;
    '') die "no Python found: install Python 3.11, 3.12, 3.13 or 3.14, or name one with PYTHON=/path/to/python." ;;
    *) die "Python $found does not fit: install Python 3.11, 3.12, 3.13 or 3.14, or name one with PYTHON=/path/to/python." ;;
    esac
}

have=$(.venv/bin/python -c "$probe" 2>/dev/null) || have=none
want=$have
if [ -n "${PYTHON:-}" ] || [ "$have" = none ]; then
    find_python
    want=$found
fi

# --- is .venv whole? -----------------------------------------------------------------------------------------
mark() { printf '%s\n' "$PWD" "Python $want"; }
state() { mark; cksum constraints.txt pyproject.toml; }
marked() { [ -f ".venv/.installed-$1" ] && [ "$(head -n 2 ".venv/.installed-$1")" = "$(mark)" ]; }
fresh() { marked "$1" && [ "$(cat ".venv/.installed-$1")" = "$(state)" ]; }

need_disk() {
    free=$(df -Pk . | awk 'NR == 2 { print int($4 / 1048576) }')
    [ "$free" -ge "$1" ] ||
        die "$free GB free on the disk of $PWD, $1 GB needed${2:-}: free some space, or move the checkout to another disk."
}
if marked run; then need_disk 1; else need_disk 6; fi

if fresh "$set_"; then exit 0; fi

# --- make it whole -------------------------------------------------------------------------------------------
contents() { find .venv/lib -path '*/site-packages/*' -prune 2>/dev/null | sort | cksum; }

ticker=
finish() { if [ -n "$ticker" ]; then kill "$ticker" 2>/dev/null || true; fi; }
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

tick() {  # a sign of life: every 5 seconds for people, every 30 for logs
    s=0
    while sleep 5 >/dev/null 2>&1 && kill -0 $$ 2>/dev/null; do
        s=$((s + 5))
        if [ -t 1 ]; then
            printf '\r  %d s ' "$s"
        elif [ $((s % 30)) -eq 0 ]; then
            printf '  %d s\n' "$s"
        fi
    done
}

if marked run; then
    echo "Bringing .venv up to date ..."
else
    find_python
    rm -f .venv/.installed-* .venv/.was-*
    "$python" -m venv --clear .venv || die "could not make .venv with $python: see the lines above."
    # Which build of torch has pip's index for this machine? The CUDA build brings 3.5 GB of libraries with it.
    if .venv/bin/python -m pip install -qq --dry-run --no-deps --report - -c constraints.txt torch 2>/dev/null |
        grep -q '"nvidia-'; then
        need_disk 12 " (pip's index has only the CUDA build of torch; PIP_FIND_LINKS or PIP_EXTRA_INDEX_URL can name one with the CPU build, 6 GB)"
        echo "Installing into .venv with Python $want (about 4 minutes, 6 GB: torch comes with CUDA) ..."
    else
        echo "Installing into .venv with Python $want (about 2 minutes, 2.3 GB) ..."
    fi
fi
tick &
ticker=$!

# While pip is at work .venv carries no mark, so that an interrupted install never passes for a whole one.
before=$(contents)
for s in run dev fuzz; do if [ -f ".venv/.installed-$s" ]; then mv ".venv/.installed-$s" ".venv/.was-$s"; fi; done
.venv/bin/python - "$set_" >.venv/requirements.txt <<'PY'
import sys
import tomllib

with open("pyproject.toml", "rb") as file:
    project = tomllib.load(file)["project"]
extras = {"run": [], "dev": ["test", "check"], "fuzz": ["test", "check", "fuzz"]}[sys.argv[1]]
wanted = [line for name in extras for line in project["optional-dependencies"][name]]
print("setuptools", *project["dependencies"], *wanted, sep="\n")
PY
if .venv/bin/python -m pip install -qq -c constraints.txt -r .venv/requirements.txt &&
    .venv/bin/python -m pip install -qq --no-deps --no-build-isolation -e .; then
    rm -f .venv/.was-*
    if [ "$set_" != run ]; then state >.venv/.installed-dev; fi
    if [ "$set_" = fuzz ]; then state >.venv/.installed-fuzz; fi
    state >.venv/.installed-run
else
    if [ "$before" = "$(contents)" ]; then  # pip gave up before it changed anything: what was whole still is
        for s in run dev fuzz; do if [ -f ".venv/.was-$s" ]; then mv ".venv/.was-$s" ".venv/.installed-$s"; fi; done
    fi
    die "pip could not install what is needed: see the lines above (no network?), then try again."
fi
if [ -t 1 ]; then printf '\r        \r'; fi
