# What the scripts here share: where things are, and how a missing tool is got. Sourced, never run.
# shellcheck shell=bash
set -euo pipefail

# A closed standard input would hand its number to the next file that some program opens.
{ true <&0; } 2>/dev/null || exec </dev/null

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
target=$(realpath --canonicalize-missing "${CARGO_TARGET_DIR:-$root/target}")
tools=$target/test-tools
cd "$root"

# The compiler whose lints and format count; docs/decisions/0001-toolchain.md says why it stands here.
lint_rust=1.95.0

# Messages go to standard error; standard output belongs to what a script runs.
say() { printf '%s\n' "$*" >&2; }
die() {
  say "$(basename "$0"): $*"
  exit 1
}

# Rust that is new enough, or a sentence on how to get it.
need_rust() {
  local want have
  # Not every shell has read the profile in which rustup put its folder on the PATH.
  command -v cargo >/dev/null || PATH=$PATH:${CARGO_HOME:-$HOME/.cargo}/bin
  command -v cargo >/dev/null ||
    die "Rust is missing. Get it from https://rustup.rs (Debian 13 also has it: apt-get install rustup), then run this again."
  want=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml)
  have=$(rustc --version | cut -d' ' -f2) || die "rustc does not run; the lines above say why."
  printf '%s\n' "$want" "$have" | sort --version-sort --check=quiet ||
    die "Rust $want or newer is needed, this is $have. With rustup: rustup update stable. Debian's own rustc is too old."
}

# Uses the compiler that the lints were written for, wherever it can be had.
pin_rust() {
  local have
  have=$(rustc --version)
  [[ $have != "rustc $lint_rust "* ]] || return 0
  if command -v rustup >/dev/null; then
    if rustup run "$lint_rust" cargo clippy --version >/dev/null 2>&1 ||
      timeout 300 rustup toolchain install "$lint_rust" --profile minimal \
        --component clippy --component rustfmt </dev/null >/dev/null 2>&1; then
      export RUSTUP_TOOLCHAIN=$lint_rust
      return
    fi
  fi
  say "Note: Rust $lint_rust cannot be had here; lints and format are checked with $have and may differ."
}

# True if this machine compiles and links C: aws-lc and SQLite are written in it.
have_cc() {
  local out status=0
  out=$(mktemp)
  printf '#include <stdlib.h>\nint main(void) { return EXIT_SUCCESS; }\n' |
    cc -x c - -o "$out" 2>/dev/null || status=1
  rm -f "$out"
  return "$status"
}

# Installs the named Debian packages, if any, with one apt-get.
install_packages() {
  (($#)) || return 0
  command -v apt-get >/dev/null || die "please install what these Debian packages hold: $*"
  local as_root=() apt=(apt-get -qq -o DPkg::Lock::Timeout=300)
  if ((EUID)); then
    as_root=(sudo)
    command -v sudo >/dev/null ||
      die "please run as root, then try again: apt-get install --no-install-recommends $*"
  fi
  # Debian's package would make a cluster on port 5432 and start it; nobody asked for that one.
  local wish=/etc/postgresql-common/createcluster.d/menjin-tests.conf status=0
  # And nginx would serve a page of its own on port 80, unless a policy says that nothing is started.
  local policy=/usr/sbin/policy-rc.d policy_is_ours=
  say "Installing Debian packages: $*"
  {
    if [[ " $* " == *' postgresql '* ]]; then
      printf 'create_main_cluster = false\n' | "${as_root[@]}" install -D -m 644 /dev/stdin "$wish"
    fi
    if [[ " $* " == *' nginx '* && ! -e $policy ]]; then
      policy_is_ours=yes
      printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" install -m 755 /dev/stdin "$policy"
    fi
    "${as_root[@]}" "${apt[@]}" update </dev/null &&
      "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive "${apt[@]}" \
        install -y --no-install-recommends "$@" </dev/null || status=$?
    [[ ! -e $wish ]] || "${as_root[@]}" rm -f "$wish"
    [[ -z $policy_is_ours ]] || "${as_root[@]}" rm -f "$policy"
  } >&2
  return "$status"
}

# Puts a program from crates.io into target/test-tools/bin: built to be there soon, not to be fast.
cargo_tool() {
  local name=$1 version=$2
  cargo install --list --root "$tools" 2>/dev/null | grep -qx "$name v$version:" && return
  say "Building $name $version, once; this takes some minutes."
  env -u CARGO_TARGET_DIR CARGO_PROFILE_DEV_DEBUG=false \
    cargo install --quiet --locked --debug --root "$tools" "$name@$version" </dev/null >&2
}

# A Python with what checks and tests import, made anew when tests/foreign/requirements.txt changes.
python_tools() {
  local venv=$tools/python wanted=tests/foreign/requirements.txt
  cmp -s "$wanted" "$venv/requirements.txt" && return
  python3 -c 'import ensurepip, venv' 2>/dev/null || install_packages python3-venv
  say "Installing Python packages into ${venv#"$root"/}"
  rm -rf "$venv"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted" </dev/null >&2
  cp "$wanted" "$venv/requirements.txt"
}

# `npm ci` in a folder, when its lock file is not the one that was installed last.
npm_tools() {
  local folder=$1
  cmp -s "$folder/package-lock.json" "$folder/node_modules/installed-lock.json" && return
  say "Installing npm packages into $folder/node_modules"
  npm ci --prefix "$folder" --loglevel=error --no-audit --no-fund </dev/null >&2
  cp "$folder/package-lock.json" "$folder/node_modules/installed-lock.json"
}
