#!/bin/sh
# Lays the profiles on the node at $HOST, loads the one for AppArmor, and says what it found.
set -eu
profiles=${PROFILES:-/profiles}
host=${HOST:-/host}

target=$host/var/lib/kubelet/seccomp/ci-cache
mkdir -p "$target"
# Into place by a rename: a container that starts meanwhile reads a whole file.
cp "$profiles/podman.json" "$target/.podman.json.new"
chmod 644 "$target/.podman.json.new"
mv "$target/.podman.json.new" "$target/podman.json"
echo "seccomp: /var/lib/kubelet/seccomp/ci-cache/podman.json"

if [ "$(cat "$host/sys/module/apparmor/parameters/enabled" 2>/dev/null || true)" = Y ]; then
    # `abi/4.0` and `userns` are words of AppArmor 4 (Debian 12 has 3): whatever its parser takes is loaded.
    for profile in apparmor.profile apparmor3.profile; do
        if chroot "$host" /sbin/apparmor_parser --replace < "$profiles/$profile" 2> /tmp/refused; then
            echo "AppArmor: loaded ci-cache-podman from $profile"
            loaded=yes
            break
        fi
    done
    if [ -z "${loaded:-}" ]; then
        echo "AppArmor is on, and its profile cannot be loaded:" >&2
        cat /tmp/refused >&2
        exit 1
    fi
else
    echo "AppArmor: off on this node; take the component no-apparmor"
fi

if [ -c "$host/dev/net/tun" ]; then
    echo "tun: /dev/net/tun is there"
else
    echo "tun: no /dev/net/tun on this node: load the module (modprobe tun; /etc/modules-load.d)" >&2
    exit 1
fi
