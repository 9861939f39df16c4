# shellcheck shell=bash
# What ./test and ./demo share: where things are put, the virtual environment, building, installing.
# To be sourced; NONO_ROOT is the checkout.
#
# Everything that is built or installed goes to one directory, NONO_STATE:
#   <checkout>/build, as the CMake presets have it, or, for root in a checkout that ordinary users
#   cannot reach (below /root, say), /var/tmp/nono-<user>-<hash of the checkout's path>.
# Reason: the tests run once more as an ordinary user, who has to read programs and virtual
# environment. Set NONO_STATE to choose another place. In it:
#   release/ asan/   CMake build trees      venv/   the virtual environment
#   wheel/           build tree of the extension module, kept so that a small change is a small build
#   log/ results/    output of the last builds, results of the last tests

set -euo pipefail

NONO_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
# Not whatever `python3` is on PATH: that may be an interpreter in somebody's home directory.
NONO_PYTHON=/usr/bin/python3
umask 022

say() { printf '==> %s\n' "$*"; }
die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Can others enter this directory and all those above it?
is_public() {
  local dir=$1
  while [[ $dir != / ]]; do
    [[ $(stat -c %A "$dir") == *[xt] ]] || return 1
    dir=$(dirname "$dir")
  done
}

choose_state() {
  if [[ -z ${NONO_STATE-} ]]; then
    NONO_STATE=$NONO_ROOT/build
    if [[ $(id -u) -eq 0 ]] && ! is_public "$NONO_ROOT"; then
      NONO_STATE=/var/tmp/nono-$(id -un)-$(printf '%s' "$NONO_ROOT" | sha256sum | cut -c1-8)
    fi
  fi
  mkdir -p "$NONO_STATE" 2>/dev/null || die "cannot create $NONO_STATE: set NONO_STATE to a directory of yours"
  NONO_STATE=$(cd "$NONO_STATE" && pwd -P)
  # /var/tmp is everybody's: a directory that somebody else put there is not to be trusted.
  [[ -O $NONO_STATE ]] ||
    die "$NONO_STATE belongs to $(stat -c %U "$NONO_STATE"): remove it, or set NONO_STATE to a directory of yours"
  if [[ $(id -u) -eq 0 ]] && ! is_public "$NONO_STATE"; then
    die "ordinary users cannot reach $NONO_STATE: set NONO_STATE to a directory that they can"
  fi
  VENV=$NONO_STATE/venv
  mkdir -p "$NONO_STATE/log"
}

# One script at a time per NONO_STATE, until this shell ends. The lock is descriptor 9.
lock_state() {
  exec 9>"$NONO_STATE/lock"
  flock -n 9 && return
  say "waiting for another run that uses $NONO_STATE"
  flock 9
}

# quietly LOG WHAT COMMAND...: output to a file; its end is shown only on failure.
quietly() {
  local log=$NONO_STATE/log/$1.log what=$2
  shift 2
  "$@" >"$log" 2>&1 </dev/null 9>&- && return
  tail -n 40 "$log" >&2
  die "$what failed (the last lines are above, all of them in $log)"
}

# build PRESET [TARGET...]
build() {
  local preset=$1 dir=$NONO_STATE/$1 fresh=() targets=()
  shift
  if [[ $# -gt 0 ]]; then
    targets=(--target "$@")
  fi
  # A tree that was configured for a checkout that has since moved.
  if [[ -f $dir/CMakeCache.txt ]] && ! grep -qxF "CMAKE_HOME_DIRECTORY:INTERNAL=$NONO_ROOT" "$dir/CMakeCache.txt"; then
    fresh=(--fresh)
  fi
  say "building ($preset, in $dir)"
  (
    cd "$NONO_ROOT"
    quietly "configure-$preset" "configuring" cmake --preset "$preset" -B "$dir" "${fresh[@]}"
    quietly "build-$preset" "building" cmake --build "$dir" "${targets[@]}"
  )
}

ensure_venv() {
  "$VENV/bin/python" -c '' 2>/dev/null && return
  say "creating the virtual environment $VENV"
  rm -rf "$VENV"
  quietly venv "creating the virtual environment" "$NONO_PYTHON" -m venv "$VENV"
}

# CXX: scikit-build-core would take the compiler that Python was built with, which is the same one by another
# name, and the compiler cache would know nothing of what is built already.
pip_install() {
  local log=$1 what=$2
  shift 2
  quietly "$log" "installing $what" env CXX="${CXX-c++}" "$VENV/bin/python" -m pip install --no-input --disable-pip-version-check "$@"
}

# Hash of the interpreter, the arguments and the content of files and trees given as --in PATH...
stamp_of() {
  local words=()
  while [[ $# -gt 0 && $1 != --in ]]; do
    words+=("$1")
    shift
  done
  shift
  {
    printf '%s\n' "${words[@]}"
    "$NONO_PYTHON" -V
    find "$@" \( -name __pycache__ -o -name '.*_cache' -o -name '*.egg-info' \) -prune \
      -o -type f ! -name '*_test.cc' ! -name '*.pyc' -print0 |
      LC_ALL=C sort -z | xargs -0r sha256sum
  } | sha256sum | cut -c1-64
}

# is_installed NAME STAMP / mark_installed NAME STAMP: was NAME installed from exactly this?
is_installed() { [[ -f $VENV/$1.stamp && $(<"$VENV/$1.stamp") == "$2" ]]; }
mark_installed() { printf '%s\n' "$2" >"$VENV/$1.stamp"; }

# nono-py from this checkout. `user`: pip install ., as anybody would; `developer`: without build
# isolation and in a build tree that is kept, so that a changed line costs seconds.
install_nono_py() {
  local how=$1 stamp sources=() entry requires=()
  for entry in "$NONO_ROOT"/*; do
    case "${entry##*/}" in
      build | dist | tests | test | demo | docs | bench | fuzz | examples | integrations | scripts | *.md) ;;
      *) sources+=("$entry") ;;
    esac
  done
  stamp=$(stamp_of nono-py --in "${sources[@]}")
  if is_installed nono-py "$stamp"; then
    return
  fi
  say "installing nono-py from this checkout (a first build takes a while)"
  if [[ $how == developer ]]; then
    mapfile -t requires < <("$VENV/bin/python" "$NONO_ROOT/scripts/build_requires.py")
    pip_install pip-build "what builds nono-py" "${requires[@]}"
    pip_install pip-nono-py nono-py --no-build-isolation --config-settings="build-dir=$NONO_STATE/wheel" \
      --force-reinstall --no-deps "$NONO_ROOT"
  else
    pip_install pip-nono-py nono-py --force-reinstall --no-deps "$NONO_ROOT"
  fi
  mark_installed nono-py "$stamp"
}

# langchain-nono from this checkout, with deepagents.
install_langchain_nono() {
  local entry stamp langchain=$NONO_ROOT/integrations/langchain sources=()
  for entry in "$langchain"/*; do
    [[ ${entry##*/} == tests ]] || sources+=("$entry")
  done
  stamp=$(stamp_of langchain-nono --in "${sources[@]}")
  if is_installed langchain-nono "$stamp"; then
    return
  fi
  say "installing langchain-nono from this checkout, and deepagents"
  pip_install pip-langchain langchain-nono "$langchain"
  # An index has a nono-py as well; the one under test must still be ours.
  "$VENV/bin/python" - "$NONO_ROOT" <<'PY' || die "pip replaced this checkout's nono-py: see the requirement in integrations/langchain/pyproject.toml"
import importlib.metadata, json, sys
origin = json.loads(importlib.metadata.distribution("nono-py").read_text("direct_url.json") or "{}")
sys.exit(origin.get("url") != "file://" + sys.argv[1])
PY
  mark_installed langchain-nono "$stamp"
}

# What the tests need next to that.
install_test_packages() {
  local stamp requirements=$NONO_ROOT/scripts/test-requirements.txt
  stamp=$(stamp_of test-packages --in "$requirements")
  if is_installed test-packages "$stamp"; then
    return
  fi
  say "installing what the tests need"
  pip_install pip-tests "what the tests need" -r "$requirements"
  mark_installed test-packages "$stamp"
}
