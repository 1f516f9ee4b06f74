# The guest's kernels: packages of Debian, fetched and unpacked, never installed. Sourced after common.sh.
# shellcheck shell=bash disable=SC2034,SC2154

kernel_lines=(6.1 6.12)
kernel_cache=${XDG_CACHE_HOME:-$HOME/.cache}/socketkit-guest

# What init needs to find the machine's files; all other modules are read from those.
boot_modules=(virtio_pci 9pnet_virtio 9p overlay)
# What must be there to be loaded, built in or not. vhost_vsock and virtio's vsock are only for host-to-guest.
known_modules=(
  vsock_loopback vsock_diag sctp sctp_diag veth dummy sch_netem af_packet algif_hash
  vhost_vsock vmw_vsock_virtio_transport
)
# What of a kernel's package is unpacked. No kernel has all of them.
unpacked=(
  './boot/vmlinuz-*' '*/modules.*' '*/kernel/net/*' '*/kernel/crypto/*' '*/kernel/arch/x86/crypto/*' '*/kernel/lib/*'
  '*/kernel/fs/9p/*' '*/kernel/fs/netfs/*' '*/kernel/fs/fscache/*' '*/kernel/fs/overlayfs/*'
  '*/kernel/drivers/virtio/*' '*/kernel/drivers/vhost/*' '*/kernel/drivers/net/veth.*' '*/kernel/drivers/net/dummy.*'
)

# The folder of a kernel line; another one as soon as something that goes into it has changed.
kernel_folder() {
  local recipe
  recipe=$(cat "$guest_tests"/{kernels.sh,init,vmlinux.py} | sha256sum)
  printf '%s/%s-%s' "$kernel_cache" "$1" "${recipe:0:12}"
}

# A folder gets its name when it is whole; this finds what somebody removed since.
kernel_is_complete() {
  local part
  for part in vmlinux initramfs busybox release; do
    [ -s "$1/$part" ] || return 1
  done
  [ -s "$1/modules/lib/modules/$(cat "$1/release")/modules.dep" ]
}

# The newest package of a kernel line that is neither for clouds (no 9p there) nor for debugging.
kernel_package() {
  apt-cache search --names-only "^linux-image-${1//./\\.}\.[0-9]" | cut -d ' ' -f 1 |
    grep -E '^linux-image-[0-9.]+(-[0-9]+)?(\+[a-z0-9]+)?-amd64$' | sort -V | tail -n 1 || true
}

# Fetches the packages of a kernel line into the working folder, and leaves the kernel's name in $package_name.
fetch_packages() {
  package_name=$(kernel_package "$1")
  [ -n "$package_name" ] || return 1
  # Downloading needs no root, and root needs no other user for it.
  (cd "$2" && apt-get -qq -o APT::Sandbox::User= download "$package_name" busybox-static >&2)
}

# Makes a kernel line ready, unless it is: prepare_kernel LINE
prepare_kernel() {
  local line=$1 target work package_name release
  target=$(kernel_folder "$line")
  if kernel_is_complete "$target"; then
    touch "$target" 2>/dev/null || true # in use; read-only in the guest itself
    return
  fi
  [ "$(uname -m)" = x86_64 ] || die "the guest kernel is for x86-64 machines"
  command -v apt-get >/dev/null || die "no apt-get: the guest's kernels are packages of Debian 12"
  need python3:python3 xz:xz-utils zstd:zstd depmod:kmod dpkg-deb:dpkg
  say "fetching Linux $line (once; kept in $kernel_cache)"
  mkdir -p "$kernel_cache"
  # Folders of other versions of these scripts, when nobody has used them for a month.
  find "$kernel_cache" -mindepth 1 -maxdepth 1 -name '[0-9]*' -mtime +30 -exec rm -rf {} +
  new_folder "$kernel_cache" new
  work=$folder
  if ! fetch_packages "$line" "$work"; then
    [ "$(id -u)" = 0 ] || die "no package of Linux $line to be had. As root: apt-get update"
    apt_as_root update
    fetch_packages "$line" "$work" || die "this Debian has no package of Linux $line (Debian 12 has)"
  fi
  release=${package_name#linux-image-}
  unpack_kernel "$work" "$package_name" "$release"
  make_initramfs "$work" "$release"
  printf '%s\n' "$release" >"$work/release"
  kernel_is_complete "$work" || die "Linux $line is incomplete"
  chmod 755 "$work"
  # An incomplete one makes way; one that another run has finished meanwhile is as good as ours.
  if ! kernel_is_complete "$target"; then rm -rf "$target"; fi
  mv -T "$work" "$target" 2>/dev/null || kernel_is_complete "$target" || die "$target cannot be made"
}

# Takes the packages apart: unpack_kernel FOLDER PACKAGE RELEASE
unpack_kernel() {
  local work=$1 name=$2 release=$3 modules module statuses
  modules=$work/modules
  mkdir "$modules"
  # tar complains of what a kernel does not have, so what is needed is asked for below.
  dpkg-deb --fsys-tarfile "$work/$name"_*.deb | tar -x -C "$modules" --wildcards "${unpacked[@]}" 2>/dev/null ||
    statuses=("${PIPESTATUS[@]}")
  [ "${statuses[0]:-0}" = 0 ] || die "the package $name is damaged"
  dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb | tar -x -O --wildcards '*/bin/busybox' >"$work/busybox"
  chmod 755 "$work/busybox"
  python3 "$guest_tests/vmlinux.py" "$modules/boot/vmlinuz-$release" "$work/vmlinux"
  if [ -d "$modules/usr/lib" ]; then mv "$modules/usr/lib" "$modules/lib"; fi
  # Unpacked here, once, rather than in each boot by an emulated processor.
  find "$modules" -name '*.ko.xz' -exec xz -d {} +
  rm -rf "$work"/*.deb "${modules:?}/boot"
  depmod -b "$modules" "$release" 2>/dev/null
  for module in "${known_modules[@]}"; do
    modprobe -d "$modules" -S "$release" --show-depends "$module" >/dev/null || die "$name has no module $module"
  done
}

# The first files of the guest: busybox, init, and the modules that reach all other files.
make_initramfs() {
  local work=$1 release=$2 first=$1/first module path
  mkdir -p "$first"/{bin,dev,proc,sys,modules,share,host,root,below}
  cp "$work/busybox" "$first/bin/busybox"
  cp "$guest_tests/init" "$first/init"
  chmod 755 "$first/init"
  for module in "${boot_modules[@]}"; do
    modprobe -d "$work/modules" -S "$release" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' | while read -r path; do
    cp "$path" "$first/modules/"
    basename "$path" >>"$first/modules/list"
  done
  (cd "$first" && find . | "$work/busybox" cpio -o -H newc 2>/dev/null) >"$work/initramfs"
  rm -rf "$first"
}
