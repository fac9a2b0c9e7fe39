#!/bin/sh
# Installs what the tests run beside the .NET SDK: Chromium, in which the dashboard is tried; in tests/tools/node_modules Azurite, the Azure Blob Storage
# emulator, and ONNX models of text, speech and wake words that exporters wrote; and promtool out of Debian's package of Prometheus, without installing its
# service. Quick when they are there already.
set -eu

if ! command -v chromium >/dev/null 2>&1 && ! command -v chromium-browser >/dev/null 2>&1 && ! command -v google-chrome >/dev/null 2>&1 && [ -z "${FEDERATED_CHROMIUM:-}" ]; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends chromium
    else
        echo "tests/setup.sh: Chromium is missing. Install it (Debian: sudo apt-get install chromium), or name a browser in FEDERATED_CHROMIUM, and run tests/setup.sh again." >&2
        exit 1
    fi
fi

cd "$(dirname "$0")/tools"
installed=node_modules/.installed.json

# Tests that ask it are content with their own rules where it cannot be had.
if ! command -v promtool >/dev/null 2>&1 && [ ! -x promtool/usr/bin/promtool ] && command -v apt-get >/dev/null 2>&1; then
    mkdir -p promtool
    (
        cd promtool
        apt-get download -q prometheus 2>/dev/null || { [ "$(id -u)" -eq 0 ] && apt-get update -q && apt-get download -q prometheus; }
        dpkg-deb --fsys-tarfile prometheus_*.deb | tar -x ./usr/bin/promtool
    ) >/dev/null 2>&1 || echo "tests/setup.sh: promtool could not be had; metrics are checked without it." >&2
    rm -f promtool/*.deb
fi

if [ -f "$installed" ] && cmp -s package-lock.json "$installed"; then
    exit 0
fi

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q nodejs npm
    else
        echo "tests/setup.sh: node and npm are missing. Install them (Debian: sudo apt-get install nodejs npm) and run tests/setup.sh again." >&2
        exit 1
    fi
fi

# No package here needs its install scripts.
npm ci --ignore-scripts --loglevel=error
cp package-lock.json "$installed"
