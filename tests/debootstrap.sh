#!/bin/sh
# Proves the two commands of the README in a fresh system: makes a Debian (or Ubuntu) root with debootstrap in which
# nothing but git and a shell is installed beside the base, clones this repository's HEAD into it, and runs scripts/run
# and scripts/test there.
#
# Needs root, debootstrap and the network. Inside the root only a /proc and terminals (/dev/pts) of its own mount
# namespace are mounted, and /dev has plain nodes, so that nothing of this machine can be reached or unmounted by
# mistake; it all goes when the namespace and the directory go.
set -eu

usage() {
  cat <<'END'
usage: tests/debootstrap.sh [--suite SUITE] [--clone PATH] [--mirror URL] [--keep] [--dir DIR] [--no-test]

--suite    bookworm (default), trixie, jammy, noble
--clone    where in the root the clone lies; default: "/home/the project". /root/boot is one that only root can reach
--mirror   where from; default: the one this machine's apt uses for that suite, else the distribution's own
--dir      where to make the root; default: a new directory below $TMPDIR or /var/tmp
--keep     leave the root there at the end
--no-test  only scripts/run
END
}

die() {
  echo "tests/debootstrap.sh: $*" >&2
  exit 1
}

suite=bookworm clone="/home/the project" mirror="" keep=0 dir="" test=1
while [ $# -gt 0 ]; do
  case "$1" in
    --help | -h) usage; exit 0 ;;
    --suite) suite=$2; shift 2 ;;
    --clone) clone=$2; shift 2 ;;
    --mirror) mirror=$2; shift 2 ;;
    --dir) dir=$2; shift 2 ;;
    --keep) keep=1; shift ;;
    --no-test) test=0; shift ;;
    *) usage >&2; exit 2 ;;
  esac
done
[ "$(id -u)" = 0 ] || die "must be root"
case "$clone" in
  /*) ;;
  *) die "--clone wants an absolute path, not $clone" ;;
esac
command -v debootstrap >/dev/null || die "debootstrap is missing (apt-get install debootstrap)"

project=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
if [ -z "$mirror" ]; then
  mirror=$(apt-cache policy 2>/dev/null | sed -n "s,^ *[0-9-]* \(http[^ ]*\) $suite/main .*,\1,p" | head -n 1)
fi
components=main
case "$suite" in
  jammy | noble) components=main,universe; mirror=${mirror:-http://archive.ubuntu.com/ubuntu} ;;
  *) mirror=${mirror:-http://deb.debian.org/debian} ;;
esac

if [ -z "$dir" ]; then
  dir=$(mktemp -d "${TMPDIR:-/var/tmp}/boot-root.XXXXXX")
else
  mkdir -p "$dir"
fi
chmod 755 "$dir"  # it becomes /, which other users look into too
cleanup() {
  # Nothing outside the namespace was mounted; --one-file-system makes sure of it.
  [ $keep = 1 ] || rm -rf --one-file-system "$dir"
}
trap cleanup EXIT
trap 'exit 1' INT TERM

echo "== $suite from $mirror into $dir" >&2
debootstrap --variant=minbase --components=$components --include=git,ca-certificates "$suite" "$dir" "$mirror" \
  >"$dir.log" 2>&1 || { tail -n 30 "$dir.log" >&2; rm -f "$dir.log"; die "debootstrap failed"; }
rm -f "$dir.log"
# How this machine reaches the network is no property of the fresh system: proxies and resolvers come along.
cp -L /etc/resolv.conf "$dir/etc/resolv.conf" 2>/dev/null || true
apt-config dump 2>/dev/null | grep -iE '^Acquire::(https?)::Proxy' >"$dir/etc/apt/apt.conf.d/01proxy" || true

chmod 700 "$dir/root"  # as installers leave it
mkdir -p "$(dirname "$dir$clone")"
git clone --quiet --no-hardlinks "file://$project" "$dir$clone"

cat >"$dir/inside.sh" <<'END'
set -eu
mount -t proc proc /proc
mkdir -p /dev/pts
if mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts 2>/dev/null; then ln -sf pts/ptmx /dev/ptmx; fi
cd /
echo "== installed before: $(dpkg-query -W | wc -l) packages; g++: $(command -v g++ || echo none)" >&2
cd "$2"
echo "== scripts/run" >&2
scripts/run
echo "== scripts/run hello" >&2
test "$(scripts/run hello)" = "hello, world"
if [ "$1" = 1 ]; then
  echo "== scripts/test" >&2
  cd /tmp
  "$2/scripts/test"
fi
END
status=0
unshare --mount --pid --fork --kill-child env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  HOME=/root TERM="${TERM:-dumb}" http_proxy="${http_proxy:-}" https_proxy="${https_proxy:-}" \
  chroot "$dir" /bin/sh /inside.sh $test "$clone" || status=$?
[ $status = 0 ] || die "failed in $suite with status $status"
echo "== $suite, $clone: passed" >&2
