#!/usr/bin/env bash
# Removes the service and its program from this device. Settings and state, the identity among it, stay.
#
#   sudo ./uninstall.sh [--purge] [--root DIR]
#
#   --purge      remove settings, state and the user as well. The server still knows the device: revoke it there ('devices revoke ID').
#   --root DIR   what was installed below DIR.
set -euo pipefail
purge=false root=
while [ $# -gt 0 ]; do
    case "$1" in
        --purge) purge=true; shift ;;
        --root) root=${2:?uninstall.sh: --root wants a folder}; shift 2 ;;
        *) echo "uninstall.sh: '$1' is unknown; allowed are --purge and --root DIR." >&2; exit 2 ;;
    esac
done
case "$root" in
    "" | /*) ;;
    *) root=$PWD/$root ;;
esac
if [ -z "$root" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "uninstall.sh: this needs root. Run it with sudo." >&2; exit 1; }
    systemctl disable --now federated-client.service 2>/dev/null || true
fi
rm -f "$root/etc/systemd/system/multi-user.target.wants/federated-client.service" "$root/etc/systemd/system/federated-client.service"
rm -rf "$root/opt/federated-client"
if $purge; then
    rm -rf "$root/etc/federated-client" "$root/var/lib/federated-client"
    if [ -z "$root" ]; then
        userdel federated 2>/dev/null || true
    elif grep -qs '^federated:' "$root/etc/passwd"; then
        userdel --prefix "$root" federated || echo "uninstall.sh: the user 'federated' stays in '$root'; root alone can remove it." >&2
    fi
fi
[ -n "$root" ] || systemctl daemon-reload
