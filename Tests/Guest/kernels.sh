# The guest's kernels: Debian packages that are downloaded and unpacked but never installed. Sourced after common.sh.
# shellcheck shell=bash disable=SC2034,SC2154

kernel_lines=(6.1 6.12)
kernel_cache=${XDG_CACHE_HOME:-$HOME/.cache}/socketkit-guest

# The modules that init needs to mount the machine's files; all other modules are loaded from there.
boot_modules=(virtio_pci 9pnet_virtio 9p overlay)
# The modules that must be available, as files or built in. Only host-to-guest uses vhost_vsock and virtio's vsock.
known_modules=(
  vsock_loopback vsock_diag sctp sctp_diag veth dummy sch_netem af_packet algif_hash
  vhost_vsock vmw_vsock_virtio_transport
)
# The files to unpack from a kernel package. No kernel contains all of them.
unpacked=(
  './boot/vmlinuz-*' '*/modules.*' '*/kernel/net/*' '*/kernel/crypto/*' '*/kernel/arch/x86/crypto/*' '*/kernel/lib/*'
  '*/kernel/fs/9p/*' '*/kernel/fs/netfs/*' '*/kernel/fs/fscache/*' '*/kernel/fs/overlayfs/*'
  '*/kernel/drivers/virtio/*' '*/kernel/drivers/vhost/*' '*/kernel/drivers/net/veth.*' '*/kernel/drivers/net/dummy.*'
)

# Prints the folder of a kernel line. The name changes when any of the files that determine its content changes.
kernel_folder() {
  local recipe
  recipe=$(cat "$guest_tests"/{kernels.sh,init,vmlinux.py} | sha256sum)
  printf '%s/%s-%s' "$kernel_cache" "$1" "${recipe:0:12}"
}

# A folder gets its final name only when it is complete; this check detects files that were removed later.
kernel_is_complete() {
  local part
  for part in vmlinux initramfs busybox release; do
    [ -s "$1/$part" ] || return 1
  done
  [ -s "$1/modules/lib/modules/$(cat "$1/release")/modules.dep" ]
}

# Prints the newest package of a kernel line, ignoring the packages for clouds (which lack 9p) and for debugging.
kernel_package() {
  apt-cache search --names-only "^linux-image-${1//./\\.}\.[0-9]" | cut -d ' ' -f 1 |
    grep -E '^linux-image-[0-9.]+(-[0-9]+)?(\+[a-z0-9]+)?-amd64$' | sort -V | tail -n 1 || true
}

# Downloads the packages of a kernel line to the working folder and stores the package name in $package_name.
fetch_packages() {
  package_name=$(kernel_package "$1")
  [ -n "$package_name" ] || return 1
  # Downloading does not require root, and root does not need apt's sandbox user for it.
  (cd "$2" && apt-get -qq -o APT::Sandbox::User= download "$package_name" busybox-static >&2)
}

# Prepares a kernel line if this has not been done: prepare_kernel LINE
prepare_kernel() {
  local line=$1 target work package_name release
  target=$(kernel_folder "$line")
  if kernel_is_complete "$target"; then
    touch "$target" 2>/dev/null || true # marks it as used; fails in the guest, where it is read-only
    return
  fi
  [ "$(uname -m)" = x86_64 ] || die "the guest kernel is for x86-64 machines"
  command -v apt-get >/dev/null || die "no apt-get: the guest's kernels are packages of Debian 12"
  need python3:python3 xz:xz-utils zstd:zstd depmod:kmod dpkg-deb:dpkg
  say "fetching Linux $line (once; kept in $kernel_cache)"
  mkdir -p "$kernel_cache"
  # Remove the folders of other versions of these scripts if they have not been used for a month.
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
  # Replace an incomplete folder. If another run has completed the folder in the meantime, use that one.
  if ! kernel_is_complete "$target"; then rm -rf "$target"; fi
  mv -T "$work" "$target" 2>/dev/null || kernel_is_complete "$target" || die "$target cannot be made"
}

# Unpacks the packages: unpack_kernel FOLDER PACKAGE RELEASE
unpack_kernel() {
  local work=$1 name=$2 release=$3 modules module statuses
  modules=$work/modules
  mkdir "$modules"
  # tar reports an error for patterns that match nothing, so the required modules are checked below.
  dpkg-deb --fsys-tarfile "$work/$name"_*.deb | tar -x -C "$modules" --wildcards "${unpacked[@]}" 2>/dev/null ||
    statuses=("${PIPESTATUS[@]}")
  [ "${statuses[0]:-0}" = 0 ] || die "the package $name is damaged"
  dpkg-deb --fsys-tarfile "$work"/busybox-static_*.deb | tar -x -O --wildcards '*/bin/busybox' >"$work/busybox"
  chmod 755 "$work/busybox"
  python3 "$guest_tests/vmlinux.py" "$modules/boot/vmlinuz-$release" "$work/vmlinux"
  if [ -d "$modules/usr/lib" ]; then mv "$modules/usr/lib" "$modules/lib"; fi
  # Decompress the modules here once, instead of in every boot on an emulated processor.
  find "$modules" -name '*.ko.xz' -exec xz -d {} +
  rm -rf "$work"/*.deb "${modules:?}/boot"
  depmod -b "$modules" "$release" 2>/dev/null
  for module in "${known_modules[@]}"; do
    modprobe -d "$modules" -S "$release" --show-depends "$module" >/dev/null || die "$name has no module $module"
  done
}

# Creates the initial file system of the guest: busybox, init, and the modules required to mount all other files.
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
