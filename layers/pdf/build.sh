#!/usr/bin/env bash
# Puts Amazon Linux 2023's own Pango, and the libraries that it needs, into the folder lib of a layer: the second way of
# building (`make build CONTAINER=yes`), in AWS's build image for Lambda's Python 3.13, or on Amazon Linux 2023 itself.
# The first way needs neither: see layers/layer_build.
#
#     bash build.sh ARTIFACTS
#
# The PATH of that image has no sbin (aws/aws-lambda-base-images, Dockerfile.python3.13), in which ldconfig is.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin

artifacts=$1
packages="pango harfbuzz fontconfig"
libraries="libpango-1.0.so.0 libpangoft2-1.0.so.0 libgobject-2.0.so.0 libharfbuzz.so.0 libharfbuzz-subset.so.0 libfontconfig.so.1"
# The C library and its parts belong to the system on which they run.
of_the_system='linux-vdso|ld-linux|/lib(c|m|dl|rt|pthread|resolv|util)\.so'
release=${OS_RELEASE:-/etc/os-release}

system=
[ ! -r "$release" ] || system=$(. "$release" && echo "$ID$VERSION_ID")
if [ "$system" != amzn2023 ]; then
  echo "layers/pdf: this is not Amazon Linux 2023, so the native libraries would not fit Lambda." >&2
  echo "\`make build\` takes libraries that fit, on any system; \`make build CONTAINER=yes\` builds in AWS's image." >&2
  exit 1
fi

# shellcheck disable=SC2086  # a list of names
dnf install --quiet --assumeyes $packages
mkdir -p "$artifacts/lib"
for name in $libraries; do
  # awk reads to the end: if it left earlier, ldconfig would be killed by SIGPIPE, and pipefail would end the build.
  file=$(ldconfig -p | awk -v name="$name" '$1 == name && found == "" { found = $NF } END { print found }')
  [ -n "$file" ] || { echo "layers/pdf: $name is missing after dnf install" >&2; exit 1; }
  needed=$(ldd "$file")
  lacking=$(awk '/not found/ { print $1 }' <<< "$needed")
  [ -z "$lacking" ] || { echo "layers/pdf: $name needs $lacking, which dnf has not installed" >&2; exit 1; }
  { echo "$file"; awk '$2 == "=>" { print $3 }' <<< "$needed"; } \
    | { grep -Ev "$of_the_system" || true; } | xargs -I{} cp -Lu {} "$artifacts/lib/"
done
# Licences of what was copied: those that the packages bring.
mkdir -p "$artifacts/licences"
for folder in /usr/share/licenses/*; do
  [ ! -d "$folder" ] || cp -RL "$folder" "$artifacts/licences/"
done
