#!/usr/bin/env bash
# Builds the client for devices into artifacts/client/RID: one native program and the library of its engine.
#
#   tools/publish-client.sh [--fallback] [--sqlite] [--qemu] [--if-changed] [linux-x64|linux-arm64 ...]      both when none is named
#
# Runs on an x64 machine with the .NET SDK. What else it needs (a linker, and for linux-arm64 a cross linker and the target's C library) is installed with
# apt-get where it is missing, as root, or named.
#   --fallback   publish with the runtime beside it instead of natively: larger, slower to start, needs no linker.
#   --sqlite     with SQLite as a data source and its library beside the program, into artifacts/client-sqlite/RID.
#   --qemu       also install qemu-user and unpack the target's libraries into artifacts/arm64-root, so that the arm64 program runs here.
#   --if-changed leave a target alone whose program is newer than every source of it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_UI_LANGUAGE=en

fallback=false
sqlite=false
qemu=false
if_changed=false
rids=()
for argument in "$@"; do
    case "$argument" in
        --fallback) fallback=true ;;
        --sqlite) sqlite=true ;;
        --qemu) qemu=true ;;
        --if-changed) if_changed=true ;;
        linux-x64 | linux-arm64) rids+=("$argument") ;;
        *) echo "publish-client.sh: '$argument' is unknown; allowed are --fallback, --sqlite, --qemu, --if-changed, linux-x64 and linux-arm64." >&2; exit 2 ;;
    esac
done
[ ${#rids[@]} -gt 0 ] || rids=(linux-x64 linux-arm64)

# Installs Debian packages that are missing, or says which.
need() {
    local missing=()
    local package
    for package in "$@"; do
        dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; then
        apt-get update -qq
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "publish-client.sh: missing: ${missing[*]}. Install them (Debian, Ubuntu: sudo apt-get install ${missing[*]}) and run this again." >&2
        exit 1
    fi
}

# Whether the program of a target is newer than whatever it is made of.
current() {
    local program=artifacts/client/$1/federated-client
    [ -x "$program" ] && [ -z "$(find Client Shared/Federated.Shared Shared/Federated.Training Directory.Build.props Directory.Packages.props global.json \
        \( -name bin -o -name obj \) -prune -o -type f -newer "$program" -print -quit)" ]
}

publish() {
    local rid=$1
    if $if_changed && ! $fallback && ! $sqlite && current "$rid"; then
        return 0
    fi

    local out=artifacts/client/$rid
    local build=artifacts/build/$rid
    local flavour=(-p:NativeClient=true)
    if $fallback; then
        out=artifacts/client-fallback/$rid
        build=artifacts/build/fallback-$rid
        flavour=(--self-contained -p:PublishSingleFile=true -p:PublishTrimmed=true -p:PublishReadyToRun=true -p:EnableCompressionInSingleFile=true
            -p:DebugType=none -p:PublishDocumentationFiles=false -p:PublishReferencesDocumentationFiles=false)
    else
        need clang
        [ "$rid" != linux-arm64 ] || need binutils-aarch64-linux-gnu libgcc-12-dev-arm64-cross libc6-dev-arm64-cross
    fi

    local libraries=(libonnxruntime.so)
    if $sqlite; then
        out=${out/client/client-sqlite}
        build=$build-sqlite
        flavour+=(-p:SqliteSource=true)
        libraries+=(libe_sqlite3.so)
    fi

    # A build folder for each target: objects of two targets never mix.
    rm -rf "$out.new"
    dotnet publish Client/Federated.Client -c Release -r "$rid" --artifacts-path "$build" -o "$out.new" -v quiet "${flavour[@]}"
    mv "$out.new/Federated.Client" "$out.new/federated-client"

    # Providers for graphics cards, symbols and documentation are of no use on a device.
    find "$out.new" -type f ! -name federated-client $(printf ' ! -name %s' "${libraries[@]}") -delete
    chmod 755 "$out.new"/*
    rm -rf "$out"
    mv "$out.new" "$out"
    echo "$out:$(cd "$out" && du -b federated-client "${libraries[@]}" | awk '{ printf "%s %s bytes %s", (NR > 1 ? "," : ""), $1, $2 }')"
}

# What the arm64 program finds when it runs here: C library, OpenSSL, and a processor description, without which the engine's library crashes under qemu.
prepare_qemu() {
    need qemu-user libc6-arm64-cross libstdc++6-arm64-cross libgcc-s1-arm64-cross
    local root=artifacts/arm64-root
    [ ! -e "$root/.complete" ] || return 0
    mkdir -p "$root/lib" "$root/proc" "$root/apt/lists/partial" "$root/apt/archives/partial"
    cp -a /usr/aarch64-linux-gnu/lib/. "$root/lib/"
    local state=(-o "APT::Architecture=arm64" -o "APT::Architectures=arm64" -o "Dir::State::Lists=$PWD/$root/apt/lists" -o "Dir::Cache=$PWD/$root/apt"
        -o "Dir::State::status=/dev/null" -o "APT::Sandbox::User=root")
    apt-get "${state[@]}" update -qq
    (cd "$root/apt" && apt-get "${state[@]}" download -qq libssl3)
    dpkg-deb -x "$root"/apt/libssl3_*.deb "$root"
    printf 'processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd evtstrm crc32 cpuid\nCPU implementer\t: 0x41\nCPU architecture: 8\nCPU variant\t: 0x0\nCPU part\t: 0xd08\nCPU revision\t: 3\n' \
        > "$root/proc/cpuinfo"
    rm -rf "$root/apt"
    touch "$root/.complete"
    echo "$root: run with qemu-aarch64 -L $root artifacts/client/linux-arm64/federated-client"
}

for rid in "${rids[@]}"; do
    publish "$rid"
done
if $qemu; then
    prepare_qemu
fi
