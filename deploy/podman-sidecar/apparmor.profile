# The AppArmor profile of the Podman container, for nodes with AppArmor 4 (Ubuntu 24.04, Debian 13): ../node loads it, or
# apparmor3.profile where that is too new. containerd's default profile denies `mount`, without which no container starts
# in a pod.
abi <abi/4.0>,
include <tunables/global>

profile ci-cache-podman flags=(attach_disconnected,mediate_deleted) {
  include <abstractions/base>

  # Ubuntu 24.04 and later refuse user namespaces to whatever does not name this.
  userns,
  mount,
  umount,
  pivot_root,
  file,
  network,
  unix,
  signal,
  ptrace (read, trace) peer=ci-cache-podman,
  capability,

  # What even root of a user namespace has no business with.
  deny /proc/sys/kernel/** wl,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/kcore rwklx,
  deny /sys/kernel/security/** rwklx,
  deny /sys/firmware/** rwklx,
}
