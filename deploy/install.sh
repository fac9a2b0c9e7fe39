#!/usr/bin/env bash
# Installs the client on this device as a service, or replaces the program of one that is installed.
#
#   sudo ./install.sh --server https://HOST:5401 --data SPEC [--policy FILE] < TOKEN
#   sudo ./install.sh                                                       a newer program; everything else stays
#
# Lies beside federated-client, libonnxruntime.so, federated-client.service and policy.json. The token, which 'devices tokens create' of the server printed, is read from
# standard input and used up. A running client goes over to a newer program by itself, between two rounds.
#   --root DIR   install below DIR, the root of a mounted card or of an image, and start nothing: the service starts with the first boot.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

server= data= policy= root=
while [ $# -gt 0 ]; do
    case "$1" in
        --server | --data | --policy | --root)
            [ $# -gt 1 ] || { echo "install.sh: '$1' wants a value." >&2; exit 2; }
            declare "${1#--}=$2"; shift 2 ;;
        *) echo "install.sh: '$1' is unknown; allowed are --server URL, --data SPEC, --policy FILE and --root DIR." >&2; exit 2 ;;
    esac
done
case "$root" in
    "" | /*) ;;
    *) root=$PWD/$root ;;
esac
wanted=$root/etc/systemd/system/multi-user.target.wants/federated-client.service
program=$root/opt/federated-client settings=$root/etc/federated-client state=$root/var/lib/federated-client unit=$root/etc/systemd/system/federated-client.service

fail() { echo "install.sh: $1" >&2; exit 1; }
for file in federated-client libonnxruntime.so federated-client.service policy.json; do
    [ -f "$here/$file" ] || fail "'$here/$file' is missing. Copy the whole folder that was published."
done
if [ -z "$root" ]; then
    [ "$(id -u)" -eq 0 ] || fail "this needs root. Run it with sudo."
    command -v systemctl >/dev/null || fail "systemd is missing; docs/DEPLOY.md says how to run the client without it."
fi
lacksUser=false
if [ -n "$root" ] && [ -f "$root/etc/passwd" ] && ! grep -q '^federated:' "$root/etc/passwd"; then
    lacksUser=true
    [ "$(id -u)" -eq 0 ] || fail "'$root' lacks the user 'federated', whom root alone can make. Run this with sudo."
fi
"$here/federated-client" --version >/dev/null || fail "the program does not run here. It is for another processor, or libssl3 or glibc 2.34 is missing (Debian: sudo apt-get install libssl3)."
if [ ! -e "$settings/client.env" ] && [ -z "$data" ]; then
    fail "--data is missing. Say what the device trains on, for example --data csv:path=/srv/data/examples.csv,label=label."
fi
if [ ! -e "$state/identity.json" ] && [ -z "$server" ]; then
    fail "--server is missing, and the device is not enrolled yet. Give --server https://HOST:5401 and the token on standard input."
fi

install -d -m 755 "$program" "$settings" "$(dirname "$unit")"
install -d -m 700 "$state"
# Beside the old one and then in its place: whoever runs keeps the old one, and a power cut leaves one of the two. The program comes last, as the client watches it.
for file in libonnxruntime.so federated-client; do
    install -m 755 "$here/$file" "$program/.$file.new"
    mv -f "$program/.$file.new" "$program/$file"
done
install -m 644 "$here/federated-client.service" "$unit"
[ -z "$data" ] || printf 'FEDERATED_DATA=%s\nFEDERATED_HEALTH_PORT=5409\n' "$data" >"$settings/client.env"
if [ -n "$policy" ]; then
    install -m 644 "$policy" "$settings/policy.json"
elif [ ! -e "$settings/policy.json" ]; then
    install -m 644 "$here/policy.json" "$settings/policy.json"
fi

account=(--system --user-group --home-dir /var/lib/federated-client --shell /usr/sbin/nologin federated)
if [ -z "$root" ]; then
    id federated >/dev/null 2>&1 || useradd "${account[@]}"
elif [ ! -f "$root/etc/passwd" ]; then
    echo "install.sh: '$root' has no etc/passwd; the user 'federated', as whom the service runs, has to be made there." >&2
elif $lacksUser; then
    useradd --prefix "$root" "${account[@]}"
fi
if [ ! -e "$state/identity.json" ]; then
    "$program/federated-client" enroll --server "$server" --state "$state"
fi
if [ -z "$root" ]; then
    chown -R federated:federated "$state"
    systemctl daemon-reload
    systemctl enable --now federated-client.service
    echo "Installed. Follow it with: journalctl -fu federated-client"
else
    # What 'systemctl enable' would do. The state's folder gets its owner from the unit when it starts.
    install -d -m 755 "$(dirname "$wanted")"
    ln -sfn /etc/systemd/system/federated-client.service "$wanted"
    echo "Installed below $root. The service starts when what is there boots."
fi
