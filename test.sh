#!/usr/bin/env bash
# Installs what the tests need where it is missing, builds everything, runs every test, and ends with one line: N passed, N failed.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")"
export DOTNET_CLI_UI_LANGUAGE=en DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1

log=$(mktemp)
trap 'rm -f "$log"' EXIT

conclude() { # passed failed skipped
    if [ "$3" -gt 0 ]; then
        echo "$1 passed, $2 failed, $3 skipped"
    else
        echo "$1 passed, $2 failed"
    fi
    [ "$2" -eq 0 ] && [ "$1" -gt 0 ] && exit 0
    exit 1
}

give_up() {
    echo "test.sh: $1" >&2
    conclude 0 1 0
}

command -v dotnet >/dev/null 2>&1 \
    || give_up "the .NET SDK is missing. Install version 10 from https://dotnet.microsoft.com/download and run ./test.sh again."
dotnet --version >/dev/null 2>&1 \
    || give_up "no installed .NET SDK fits global.json ($(dotnet --list-sdks | tr '\n' ';')). Install version 10 from https://dotnet.microsoft.com/download."

tests/setup.sh || give_up "tests/setup.sh failed; see above for what is missing."

echo "Building ..."
dotnet build Federated.sln -c Release -v quiet || give_up "the build failed; see above."

# Programs of another processor run in the tests, and programs that are killed often, too often for ones that compile when they start.
echo "Publishing the native client ..."
tools/publish-client.sh --qemu --if-changed || give_up "the native client could not be published; see above."

# Two test programs at a time: some start servers and measure time.
echo "Testing ..."
status=0
dotnet test --solution Federated.sln -c Release --no-build --no-ansi --no-progress --max-parallel-test-modules 2 2>&1 | tee "$log" || status=$?

# The summary that ends the log; "error" counts test programs that broke off.
count() {
    sed -n "s/^  $1: \([0-9][0-9]*\).*/\1/p" "$log" | tail -n 1
}
passed=$(count succeeded)
failed=$(count failed)
errors=$(count error)
skipped=$(count skipped)
: "${passed:=0}" "${failed:=0}" "${errors:=0}" "${skipped:=0}"
failed=$((failed + errors))

# Whatever else made the run fail is a failure too: a test program that died, or none that ran.
if [ "$status" -ne 0 ] && [ "$failed" -eq 0 ]; then
    echo "test.sh: 'dotnet test' ended with exit code $status; see above." >&2
    failed=1
fi

echo
conclude "$passed" "$failed" "$skipped"
