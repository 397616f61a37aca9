#!/usr/bin/env bash
# Installs Debian packages where that is possible without asking; elsewhere says what is missing and how to get it.
set -u
missing=()
for package in "$@"; do
  case "$package" in
    chromium) command -v chromium >/dev/null || missing+=("$package") ;;
    mosquitto) { command -v mosquitto || [ -x /usr/sbin/mosquitto ]; } >/dev/null || missing+=("$package") ;;
    *) dpkg -s "$package" >/dev/null 2>&1 || missing+=("$package") ;;
  esac
done
[ "${#missing[@]}" -eq 0 ] && exit 0
if command -v apt-get >/dev/null && [ "$(id -u)" -eq 0 ]; then
  echo "Installing ${missing[*]} …"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq >/dev/null && apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null && exit 0
fi
echo "Not installed: ${missing[*]}. Tests that need them are skipped and say so." >&2
echo "To get them: sudo apt-get install ${missing[*]}" >&2
exit 1
