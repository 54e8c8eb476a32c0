#!/bin/sh
# Lays out what Larder's image has above its base: the program without its symbols, the libraries it is linked with
# that the base lacks, and the bill of materials.
#
#   deploy/image/stage.sh PROGRAM Package.resolved DIRECTORY
set -eu
program=$1 resolved=$2 tree=$3
mkdir -p "$tree/usr/bin" "$tree/usr/lib" "$tree/usr/share/doc/larder"
strip --strip-all "$program" -o "$tree/usr/bin/larder"
# distroless/cc has Debian's C library, libgcc and libstdc++, and nothing else: not even zlib.
ldd "$program" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | while read -r library; do
    case $library in
    */libc.so.6 | */libm.so.6 | */libgcc_s.so.1 | */libstdc++.so.6) ;;
    *) cp -L "$library" "$tree/usr/lib/" ;;
    esac
done
find "$tree/usr/lib" -name '*.so*' | sort \
    | "$(dirname "$0")/sbom.py" "$resolved" > "$tree/usr/share/doc/larder/larder.spdx.json"
chmod -R u=rwX,go=rX "$tree"
