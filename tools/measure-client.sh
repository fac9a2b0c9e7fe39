#!/usr/bin/env bash
# Measures what the native client costs on this machine, and prints a table with the goals.
#
#   tools/measure-client.sh [--no-publish] [--idle-seconds N] [--starts N]
#
# Publishes the client for linux-x64 and linux-arm64, starts the server of this repository on loopback over mutual TLS, enrolls one device, and measures: size on disk; time from
# the start of the process to the moment the server notes the first check-in (median); memory and processor time while connected and idle; peak memory while it
# trains the 2NN (784-200-200-10) on 600 examples of MNIST, batch 10. Sizes are in megabytes of 10^6 bytes, memory in MiB.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Devices have neither; with them the client reads the authorities that somebody has named.
unset SSL_CERT_DIR SSL_CERT_FILE
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en

publish=true
idle_seconds=60
starts=15
while [ $# -gt 0 ]; do
    case "$1" in
        --no-publish) publish=false; shift ;;
        --idle-seconds) idle_seconds=$2; shift 2 ;;
        --starts) starts=$2; shift 2 ;;
        *) echo "measure-client.sh: '$1' is unknown; allowed are --no-publish, --idle-seconds N and --starts N." >&2; exit 2 ;;
    esac
done
command -v curl >/dev/null || { echo "measure-client.sh: curl is missing. Install it (Debian: sudo apt-get install curl)." >&2; exit 1; }

if $publish; then
    tools/publish-client.sh linux-x64 linux-arm64
fi
server=Server/Federated.Server/bin/Release/net10.0/Federated.Server.dll
if $publish || [ ! -e "$server" ]; then
    dotnet build Server/Federated.Server -c Release -v quiet
fi

client=$PWD/artifacts/client/linux-x64/federated-client
data=$PWD/Simulator/Federated.Simulator/Data/mnist
work=$(mktemp -d)
pids=()
cleanup() {
    for pid in "${pids[@]}"; do
        kill "$pid" 2>/dev/null || true
    done
    wait 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

# Waits up to a minute for a command to succeed.
await() {
    local tries=600
    until "$@" >/dev/null 2>&1; do
        tries=$((tries - 1))
        [ $tries -gt 0 ] || { echo "measure-client.sh: '$*' did not come true within a minute. The server said: $(tail -n 5 "$work/server.log")" >&2; exit 1; }
        sleep 0.1
    done
}

dotnet exec "$server" serve --storage "$work/store" --grpc-port 0 --api-port 0 --json >"$work/server.json" 2>"$work/server.log" &
pids+=($!)
await grep -q '"grpc"' "$work/server.json"
api=$(sed -n 's/.*"api":"\([^"]*\)\/".*/\1/p' "$work/server.json")
token=$(dotnet exec "$server" devices tokens create --server "$api" --population measured --json | sed -n 's/.*"token":"\([^"]*\)".*/\1/p')
grpc=$(sed -n 's/.*"grpc":"\([^"]*\)".*/\1/p' "$work/server.json")
printf '%s\n' "$token" | "$client" enroll --server "$grpc" --device-id measured --state "$work/device" >/dev/null

examples="idx:images=$data/train-images-idx3-ubyte.gz,labels=$data/train-labels-idx1-ubyte.gz,slice=0:600"
seen() { curl -sf "$api/api/v1/devices/measured" | grep -q "\"$1\":\"$2\""; }
status() { sed -n "s/^$2:[[:space:]]*\([0-9]*\) kB/\1/p" "/proc/$1/status"; }
# Nanoseconds that all threads of a process have run.
processor() { cat /proc/"$1"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f", sum }'; }
mib() { awk -v kib="$1" 'BEGIN { printf "%.1f", kib / 1024 }'; }

# Starts. Another label makes the server note each one with its time. The table that it reads is small, as the first check-in waits for the data.
head -c 2000 /dev/zero | tr '\0' '1' | fold -w 10 | sed 's/./&,/g; s/,$//' | { echo 'a,b,c,d,e,f,g,h,i,y'; cat; } >"$work/table.csv"
times=()
busy=()
for run in $(seq 0 "$starts"); do
    began=$(date +%s%N)
    "$client" run --state "$work/device" --data "csv:path=$work/table.csv,label=y" --label "run=$run" 2>"$work/client.log" &
    pid=$!
    await seen run "$run"
    ran=$(processor "$pid")
    kill "$pid"
    wait "$pid" 2>/dev/null || true
    at=$(curl -sf "$api/api/v1/devices/measured" | sed -n 's/.*"lastSeen":"\([^"]*\)".*/\1/p')
    # The first start warms the server.
    [ "$run" -eq 0 ] || { times+=($(( ($(date -d "$at" +%s%N) - began) / 100000 ))); busy+=($((ran / 100000))); }
done
tenths() { echo "$(($1 / 10)).$(($1 % 10))"; }
at() { local index=$1; shift; tenths "$(printf '%s\n' "$@" | sort -n | sed -n "$((index + 1))p")"; }
median=$(at $((${#times[@]} / 2)) "${times[@]}")
fastest=$(at 0 "${times[@]}")
processor_ms=$(at $((${#busy[@]} / 2)) "${busy[@]}")

# Idle: connected, checked in, held and told to come back as the server's pacing has it by default.
"$client" run --state "$work/device" --data "csv:path=$work/table.csv,label=y" --label run=idle 2>"$work/client.log" &
pid=$!
pids+=($pid)
await seen run idle
sleep 5
before=$(processor "$pid")
sleep "$idle_seconds"
idle_cpu=$(awk -v used="$(($(processor "$pid") - before))" -v seconds="$idle_seconds" 'BEGIN { printf "%.3f", used / seconds / 1e7 }')
idle_rss=$(mib "$(status "$pid" VmRSS)")
kill "$pid"
wait "$pid" 2>/dev/null || true

# Training.
cat >"$work/job.json" <<JOB
{ "name": "measured", "population": "measured", "rounds": 3,
  "model": { "builder": "mlp", "hidden": [200, 200] },
  "cohort": { "goal": 1, "overSelection": 1.0, "quorum": 1.0, "minimumPool": 1 },
  "training": { "epochs": 1, "batchSize": 10, "learningRate": 0.05 },
  "evaluation": { "data": { "kind": "idx", "images": "$data/t10k-images-idx3-ubyte.gz", "labels": "$data/t10k-labels-idx1-ubyte.gz" } } }
JOB
dotnet exec "$server" jobs submit "$work/job.json" --server "$api" --json >/dev/null
"$client" run --state "$work/device" --data "$examples" --json >"$work/rounds.json" 2>"$work/client.log" &
pid=$!
pids+=($pid)
await grep -q '"round":3,.*"Accepted"\|"Accepted".*"round":3,' "$work/rounds.json"
train_rss=$(mib "$(status "$pid" VmHWM)")

megabytes() { stat -c %s "$@" | awk '{ sum += $1 } END { printf "%.1f", sum / 1e6 }'; }
x64=artifacts/client/linux-x64
arm64=artifacts/client/linux-arm64
row() { printf '| %-48s | %-10s | %-22s | %-6s |\n' "$1" "$2" "$3" "$4"; }
met() { awk -v value="$1" -v goal="$2" 'BEGIN { print (value <= goal ? "yes" : "no") }'; }
echo
row "linux-x64" "goal" "measured" "met"
row "---" "---" "---" "---"
size=$(megabytes $x64/federated-client $x64/libonnxruntime.so)
row "program and engine on disk, MB" "42" "$size ($(megabytes $x64/federated-client) + $(megabytes $x64/libonnxruntime.so))" "$(met "$size" 42)"
row "idle and connected over TLS, RSS, MiB" "25" "$idle_rss" "$(met "$idle_rss" 25)"
row "start to first check-in over TLS, ms" "120" "$median (best $fastest)" "$(met "$median" 120)"
row "  of that, processor time of the client, ms" "" "$processor_ms" ""
row "idle, default pacing, % of a core" "0.1" "$idle_cpu" "$(met "$idle_cpu" 0.1)"
row "training mnist-2nn, peak RSS, MiB" "70" "$train_rss" "$(met "$train_rss" 70)"
echo
echo "linux-arm64: $(megabytes $arm64/federated-client $arm64/libonnxruntime.so) MB on disk ($(megabytes $arm64/federated-client) + $(megabytes $arm64/libonnxruntime.so))."
echo "$(nproc) processors, load $(cut -d' ' -f1 /proc/loadavg): times are only worth something on an idle machine."
