#!/bin/sh
# Lays out a RocketMQ home: dist.sh BUILD DIST, where BUILD has the binaries.
set -eu
build=$1
dist=$2
here=$(cd -- "$(dirname -- "$0")" && pwd)

rm -rf "$dist.new"
mkdir -p "$dist.new/bin" "$dist.new/conf"
for program in namesrv nsctl; do
	cp "$build/$program" "$dist.new/bin/$program"
done
cp "$here/bin/mqnamesrv" "$here/bin/mqshutdown" "$dist.new/bin/"
cp "$here/conf/"* "$dist.new/conf/"
cp "$here/../LICENSE" "$here/../NOTICE" "$dist.new/"
chmod 755 "$dist.new/bin/"*
chmod 644 "$dist.new/conf/"*

# A server may run from the old one: replace the folder, never its files.
rm -rf "$dist.old"
if [ -e "$dist" ]; then
	mv "$dist" "$dist.old"
fi
mv "$dist.new" "$dist"
rm -rf "$dist.old"
echo "dist $dist"
