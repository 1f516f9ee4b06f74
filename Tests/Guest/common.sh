# Shared by the commands of this folder: messages, packages, and a clean-up that leaves no processes or files behind.
# shellcheck shell=bash disable=SC2034

guest_tests=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
package=$(cd "$guest_tests/../.." && pwd)
# Debian does not include these folders in the PATH of other users than root.
PATH=$PATH:/usr/sbin:/sbin

say() { printf '%s\n' "$*" >&2; }

die() {
  say "Tests/Guest: $1"
  exit "${2:-1}"
}

# The processes and folders that are removed when this process exits, for any reason except SIGKILL. After SIGKILL, the
# kernel kills the children (see spawn), and the next run removes the folders (see new_folder).
own_processes=()
own_folders=()

clean_up() {
  local status=$? number
  trap - EXIT
  trap '' INT TERM HUP
  for number in "${own_processes[@]}"; do end_process "$number"; done
  if [ ${#own_folders[@]} -gt 0 ]; then rm -rf "${own_folders[@]}"; fi
  exit "$status"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Terminates a child of this shell; sends SIGKILL if it is still running after five seconds.
end_process() {
  local tries=0
  kill -TERM "$1" 2>/dev/null || true
  while kill -0 "$1" 2>/dev/null; do
    if [ $((tries += 1)) -gt 50 ]; then kill -KILL "$1" 2>/dev/null || true; fi
    sleep 0.1
  done
  wait "$1" 2>/dev/null || true
}

# Starts a command in the background and stores its process ID in $spawned. If this process is killed, the kernel sends
# SIGNAL to the command: spawn SIGNAL COMMAND…
spawn() {
  setpriv --pdeathsig "$1" -- "${@:2}" &
  spawned=$!
  own_processes+=("$spawned")
}

# Removes a process that has ended from the list.
forget_process() {
  local number kept=()
  for number in "${own_processes[@]}"; do
    if [ "$number" != "$1" ]; then kept+=("$number"); fi
  done
  own_processes=("${kept[@]}")
}

# Creates a folder below PARENT, which is removed when this process exits, and stores its name in $folder. Also removes
# the folders of earlier processes that were killed: new_folder PARENT PREFIX
new_folder() {
  local old number
  for old in "$1/$2".*.*; do
    number=${old#"$1/$2".}
    number=${number%%.*}
    if [ -O "$old" ] && [ ! -d "/proc/$number" ]; then rm -rf "$old"; fi
  done
  folder=$(mktemp -d "$1/$2.$$.XXXXXX")
  own_folders+=("$folder")
}

# The parent of working folders: $TMPDIR if it is set, otherwise a folder in memory if possible.
temporary_root() {
  if [ -n "${TMPDIR:-}" ]; then
    printf '%s' "$TMPDIR"
  elif [ -w /dev/shm ]; then
    printf /dev/shm
  else
    printf /tmp
  fi
}

# Installs missing commands: need COMMAND:PACKAGE…
need() {
  local pair commands=() packages=()
  for pair in "$@"; do
    if ! command -v "${pair%%:*}" >/dev/null; then
      commands+=("${pair%%:*}")
      packages+=("${pair##*:}")
    fi
  done
  if [ ${#packages[@]} = 0 ]; then return; fi
  local wish="apt-get install --no-install-recommends ${packages[*]}"
  command -v apt-get >/dev/null || die "missing: ${commands[*]}. In Debian: $wish"
  [ "$(id -u)" = 0 ] || die "missing: ${commands[*]}. As root: $wish"
  say "installing ${packages[*]}"
  apt_as_root install -y --no-install-recommends "${packages[@]}" || {
    apt_as_root update
    apt_as_root install -y --no-install-recommends "${packages[@]}"
  } || die "apt-get could not install ${packages[*]}"
}

apt_as_root() { DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" >&2 </dev/null; }
