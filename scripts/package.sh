#!/usr/bin/env bash
# package.sh [BUILD_FOLDER] [OUTPUT_FOLDER]: makes the Debian package of a built program and
# prints its path. The same commit and build give the same bytes. Nothing here needs root.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

build=${1:-build/release}
output=${2:-$build}
program=$build/cli/sluice
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
export SOURCE_DATE_EPOCH

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir "$root"
put() { install -D -m "$1" "$2" "$root/$3"; }  # put MODE FILE PLACE
share=$root/usr/share
doc=$share/doc/sluice

put 755 "$program" usr/bin/sluice
strip --strip-unneeded --remove-section=.comment --remove-section=.note "$root/usr/bin/sluice"
put 644 packaging/sluice.service lib/systemd/system/sluice.service
put 644 packaging/sluice.yaml etc/sluice/sluice.yaml
mkdir "$root/etc/sluice/conf.d"

# What the program says of itself.
version=$("$program" --version)
mkdir -p "$share/man/man1" "$share/bash-completion/completions" \
  "$share/zsh/vendor-completions" "$share/fish/vendor_completions.d"
"$program" man -o "$share/man/man1"
"$program" completion bash >"$share/bash-completion/completions/sluice"
"$program" completion zsh >"$share/zsh/vendor-completions/_sluice"
"$program" completion fish >"$share/fish/vendor_completions.d/sluice.fish"

put 644 packaging/debian/copyright usr/share/doc/sluice/copyright
put 644 /usr/share/doc/libpg-query-dev/copyright usr/share/doc/sluice/copyright.libpg-query
cp -r docs/*.md docs/*.json docs/*.cddl docs/examples "$doc"
cat >"$doc/changelog" <<END
sluice ($version) bookworm; urgency=medium

  * As of $(git log -1 --format='%h: %s').

 -- The authors of Sluice <sluice@localhost>  $(date -u -R -d "@$SOURCE_DATE_EPOCH")
END
find "$share/man" "$doc/changelog" -type f -exec gzip -9n {} +

# Which packages the libraries are of, and how new they must be.
mkdir "$work/debian"
printf 'Source: sluice\n\nPackage: sluice\nArchitecture: any\n' >"$work/debian/control"
libraries=$(cd "$work" && dpkg-shlibdeps -O "$root/usr/bin/sluice" 2>"$work/shlibdeps.log") ||
  { cat "$work/shlibdeps.log" >&2; exit 1; }

mkdir "$root/DEBIAN"
cat >"$root/DEBIAN/control" <<END
Package: sluice
Version: $version
Architecture: $(dpkg --print-architecture)
Maintainer: The authors of Sluice <sluice@localhost>
Section: net
Priority: optional
Installed-Size: $(du -sk --exclude=DEBIAN "$root" | cut -f1)
Depends: adduser, ${libraries#shlibs:Depends=}
Recommends: ca-certificates, systemd
Description: access gateway that decides, masks and keeps evidence
 Sluice stands in the data path between applications and the systems that
 they call, speaking HTTP/1.1 and PostgreSQL. It knows who is calling, decides
 each operation before it happens, masks what must not be seen, and leaves a
 signed log that a stranger can verify.
 .
 It needs Linux 6.1 or newer with io_uring, and a processor of x86-64-v3.
END
printf '/etc/sluice/sluice.yaml\n' >"$root/DEBIAN/conffiles"
for script in postinst prerm postrm; do
  install -m 755 "packaging/debian/$script" "$root/DEBIAN/$script"
done
(cd "$root" && find usr lib -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$root/DEBIAN/md5sums"

chmod -R u+rwX,go=rX "$root"
find "$root" -exec touch --no-dereference --date "@$SOURCE_DATE_EPOCH" {} +
package=$output/sluice_${version}_$(dpkg --print-architecture).deb
# Of level 2: half the time that the default takes, for a package an eighth larger.
dpkg-deb --root-owner-group -Zxz -z2 --build "$root" "$package" >/dev/null
echo "$package"
