#!/usr/bin/env bash
# Builds the layer of render_pdf into the folder given: WeasyPrint with its native libraries, Jinja2, Babel and the fonts.
#
# Lambda runs on Amazon Linux 2023, so the native libraries (Pango and what it needs) are taken from there: build with
# `use_container = true`. Anywhere else the build stops, because a layer without them, or with those of another system,
# would only fail once it is deployed. On a laptop, for the emulator, say so (sam passes the variable on):
#
#     PANGO=host sam build        the libraries of this machine are used, and none are put into the layer
#
# Not tried on AWS itself yet: the container build, and a cold start with these libraries.
set -euo pipefail

artifacts=$1
python=$artifacts/python
interpreter=${PYTHON:-python3.13}
packages="pango harfbuzz fontconfig"
libraries="libpango-1.0.so.0 libpangoft2-1.0.so.0 libgobject-2.0.so.0 libharfbuzz.so.0 libharfbuzz-subset.so.0 libfontconfig.so.1"
# The C library and its parts belong to the system on which they run.
of_the_system='linux-vdso|ld-linux|/lib(c|m|dl|rt|pthread|resolv|util)\.so'
limit_mb=150

system=
[ ! -r /etc/os-release ] || system=$(. /etc/os-release && echo "$ID$VERSION_ID")
if [ "$system" != amzn2023 ] && [ "${PANGO:-}" != host ]; then
  echo "layers/pdf: this is not Amazon Linux 2023, so the native libraries would not fit Lambda." >&2
  echo "Build in the container (sam build --use-container), or set PANGO=host for a layer that only runs here." >&2
  exit 1
fi

mkdir -p "$python"
"$interpreter" -m pip install --quiet --disable-pip-version-check --no-compile --only-binary :all: --require-hashes \
  --requirement requirements.txt --target "$python"
cp -R report_fonts "$python/"
rm -rf "$python/bin" "$python/share"
find "$python" -depth -type d \( -name tests -o -name __pycache__ \) -exec rm -rf {} +
find "$python" -type f \( -name '*.c' -o -name '*.h' -o -name '*.pyx' \) -delete
# Compiled once, and never checked against the sources again: both cost time at every cold start.
"$interpreter" -m compileall -q -j 0 --invalidation-mode unchecked-hash "$python"

if [ "$system" = amzn2023 ]; then
  # shellcheck disable=SC2086  # a list of names
  dnf install --quiet --assumeyes $packages
  mkdir -p "$artifacts/lib"
  for name in $libraries; do
    file=$(ldconfig -p | awk -v name="$name" '$1 == name { print $NF; exit }')
    [ -n "$file" ] || { echo "layers/pdf: $name is missing after dnf install" >&2; exit 1; }
    { echo "$file"; ldd "$file" | awk '$2 == "=>" { print $3 }'; } \
      | grep -Ev "$of_the_system" | xargs -I{} cp -Lu {} "$artifacts/lib/"
  done
fi

size=$(du -sm "$artifacts" | cut -f1)
[ "$size" -le "$limit_mb" ] || { echo "layers/pdf: $size MB unzipped, more than $limit_mb" >&2; exit 1; }
