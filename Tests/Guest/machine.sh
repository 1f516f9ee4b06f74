# Runs a command in the guest kernel. Sourced after common.sh and kernels.sh.
# shellcheck shell=bash disable=SC2034,SC2154

# The settings; the help text of `run` explains each of them.
guest_kernel=6.12
guest_cpus=1
guest_processor=max
guest_memory=2G
guest_writable=
guest_time_limit=900
guest_keep=
guest_context=
guest_device=
guest_words=quiet
guest_modules=(vsock_loopback vsock_diag sctp sctp_diag veth dummy sch_netem af_packet)
guest_shown=()

# Runs the command in a guest, copies its output to standard output, and stores its exit status in $guest_status. If the
# guest ends without a status, $guest_status is 125, and the cause is written to standard error.
run_in_guest() {
  local kernel work share machine timer reader device=
  kernel=$(kernel_folder "$guest_kernel")
  new_folder "$(temporary_root)" socketkit-guest
  work=$folder
  share=$work/share
  mkdir "$share"
  fill_share "$share" "$kernel" "$@"
  if [ -n "$guest_device" ]; then start_device "$work"; fi

  spawn KILL qemu-system-x86_64 "${machine_words[@]}" </dev/null >"$work/qemu" 2>&1
  machine=$spawned
  # A separate tail process shows output as it arrives, with or without a newline, and shows all of it before it ends.
  spawn KILL tail -q -c +1 -s 0.1 --pid="$machine" -f "$share/output"
  reader=$spawned
  spawn KILL sleep "$guest_time_limit"
  timer=$spawned
  wait -n "$machine" "$timer" || true
  local cause="its kernel crashed or was powered off"
  if kill -0 "$machine" 2>/dev/null; then
    if ! kill -0 "$timer" 2>/dev/null; then cause="its time limit of $guest_time_limit s is over"; fi
    end_process "$machine"
  fi
  forget_process "$machine"
  wait "$reader" || true
  forget_process "$reader"
  end_process "$timer"
  forget_process "$timer"
  if [ -n "$device" ]; then
    end_process "$device"
    forget_process "$device"
  fi

  if [ -s "$share/status" ]; then
    guest_status=$(cat "$share/status")
  else
    guest_status=125
    say "Tests/Guest: the guest (Linux $guest_kernel) ended without an exit status: $cause"
    tail -q -n 80 "$work/qemu" "$work/console" >&2 || true
    if [ -s "$work/device.log" ]; then cat "$work/device.log" >&2; fi
  fi
  if [ -n "$guest_keep" ]; then
    mkdir -p "$guest_keep"
    cp -r "$work/console" "$work/qemu" "$share/." "$guest_keep/"
    if [ -n "$device" ]; then cp "$work/device.log" "$guest_keep/"; fi
  fi
  rm -rf "$work"
}

# Starts the host side of the guest's vsock device, which has access to the guest's memory: start_device FOLDER
start_device() {
  local tries=0
  spawn KILL python3 -I -S -B "$guest_tests/vsock_device.py" "$1/device" 42 >"$1/device.log" 2>&1
  device=$spawned
  while [ ! -S "$1/device" ] && [ $((tries += 1)) -lt 100 ]; do sleep 0.1; done
  machine_words+=(
    -object "memory-backend-memfd,id=memory,size=$guest_memory,share=on" -machine memory-backend=memory
    -chardev "socket,id=device,path=$1/device" -device vhost-user-vsock-pci,chardev=device
  )
}

# Prints a variable assignment that any shell can read.
setting() { printf "%s='%s'\n" "$1" "${2//\'/\'\\\'\'}"; }

# Fills the folder shared by both sides, /run/guest/share in the guest: fill_share FOLDER KERNEL COMMAND…
fill_share() {
  local share=$1 kernel=$2
  cp "$guest_tests/session" "$share/session"
  mkdir "$share/files"
  : >"$share/output"
  if [ -n "$guest_writable" ]; then : >"$share/writable"; fi
  printf '%s\n' "$kernel/modules" >"$share/modules"
  printf '%s\n' "$package" "$PWD" "${guest_shown[@]}" >"$share/shown"
  {
    setting PATH "$PATH"
    setting DIRECTORY "$PWD"
    setting MODULES "${guest_modules[*]}"
    if [ -n "${LD_LIBRARY_PATH:-}" ]; then
      setting LD_LIBRARY_PATH "$LD_LIBRARY_PATH"
      echo "export LD_LIBRARY_PATH"
    fi
  } >"$share/settings"
  printf '%q ' "${@:3}" >"$share/command"

  # Use q35 and one processor: under emulation QEMU's microvm hangs in many boots, and waking a second processor is
  # slow. A kernel that reports a fault must stop (oops=panic), so that the tests do not continue. On a busy machine the
  # emulated timer may be late, which the kernel must not treat as a broken timer (no_timer_check).
  machine_words=(
    -name socketkit-guest -nodefaults -no-user-config -no-reboot -display none -monitor none
    -M q35 -accel "tcg,thread=multi" -cpu "$guest_processor" -smp "$guest_cpus" -m "$guest_memory"
    -serial "file:$share/../console" -kernel "$kernel/vmlinux" -initrd "$kernel/initramfs"
    -append "console=ttyS0 panic=-1 oops=panic no_timer_check socketkit.guest $guest_words"
    -fsdev "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap"
    -device "virtio-9p-pci,fsdev=host,mount_tag=host"
    -fsdev "local,id=share,path=$share,security_model=none"
    -device "virtio-9p-pci,fsdev=share,mount_tag=share"
  )
  if [ -n "$guest_context" ]; then machine_words+=(-device "vhost-vsock-pci,guest-cid=$guest_context"); fi
}
