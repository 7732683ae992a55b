# Sourced by bin/setup and bin/matrix: what they ask of a Debian machine.
# shellcheck shell=bash

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif have sudo; then
    sudo "$@"
  else
    fail "the right to do this" "running this as root: $*"
  fi
}

apt_install() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --quiet --quiet --no-install-recommends "$@" >/dev/null
}

# The mirror that this machine takes its own suite from, and the keyring it trusts
# for that (empty: apt's own): "MIRROR KEYRING".
debian_mirror() {
  local codename mirror entry
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  read -r mirror entry < <(
    apt-get indextargets --format '$(REPO_URI) $(SOURCESENTRY) $(RELEASE) $(SUITE) $(COMPONENT)' 'Identifier: Packages' |
      awk -v name="$codename" '($3 == name || $4 == name) && $5 == "main" { print $1, $2; exit }'
  ) || return 1
  echo "$mirror $(keyring_of "${entry%:*}")"
}

keyring_of() {
  grep -oiE 'signed-by[:=] *[^] ]+' "$1" 2>/dev/null | head -n 1 | sed 's/^[^:=]*[:=] *//'
}
