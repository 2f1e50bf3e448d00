#!/usr/bin/env bash
# Makes sure that Debian's Chromium is there for the browser tests. Installs it only as root, only where it is missing.
set -euo pipefail

if command -v chromium >/dev/null; then
    exit 0
fi
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
    echo "The browser tests need Chromium, which is not installed." >&2
    echo "On Debian run as root: apt-get install chromium. Elsewhere put a program named chromium on the PATH." >&2
    exit 1
fi
echo "installing Debian's Chromium for the browser tests"
apt-get update -qq
DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
chromium --version
