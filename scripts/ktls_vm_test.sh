#!/usr/bin/env bash
# ktls_vm_test.sh [BUILD]: proves that the kernel makes the gateway's TLS records where it can.
#
# Boots Debian's stock kernel under qemu with the gateway of BUILD (build/release), first without
# its module `tls` and then with it. What is checked: tests/ktls_vm/init.sh. Needs no KVM.
# Ends with 77 where qemu cannot be installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
build=$(realpath "${1:-build/release}")
PATH=$PATH:/usr/sbin:/sbin
scripts/install_packages.sh vm || { echo "not run: qemu cannot be installed here"; exit 77; }

work=build/ktls_vm
root=$work/root
rm -rf "$root"
mkdir -p "$root"/{bin,usr/bin,lib,lib64,etc/ssl,proc,sys,dev,tmp,vm/www/cgi-bin,vm/audit} "$work/kernel"

# The kernel's package is unpacked, not installed: nothing here is to boot with it.
fetch_kernel() {
  package=$(apt-cache depends --important linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -n 1)
  [ -n "$package" ] || return 1
  [ ! -e "$work/kernel/$package" ] || return 0
  rm -rf "$work/kernel" && mkdir "$work/kernel" &&
    (cd "$work/kernel" && apt-get -qq download "$package" && dpkg-deb -x "$package"_*.deb . && rm "$package"_*.deb) &&
    touch "$work/kernel/$package"
}
# Lists of packages that are missing or old name a file that is no longer there.
fetch_kernel || { apt-get -qq update && fetch_kernel; } || { echo "Debian's kernel cannot be fetched"; exit 1; }
version=${package#linux-image-}
modules=(tls gcm ccm ctr aesni_intel ghash_clmulni_intel chacha20poly1305 chacha_x86_64 poly1305_x86_64)
depmod -b "$work/kernel" "$version"
for module in "${modules[@]}"; do
  modprobe -d "$work/kernel" -S "$version" --show-depends "$module" | sed -n 's/^insmod \([^ ]*\).*/\1/p'
done | sort -u | while read -r file; do
  install -D "$file" "$root/lib/modules/$version/${file##*/}"
done
depmod -b "$root" "$version" 2>/dev/null  # it misses lists of what is built in

install /bin/busybox "$root/bin/busybox"
/bin/busybox --list | grep -v "^busybox$" | while read -r applet; do ln -s busybox "$root/bin/$applet"; done
ln -s bin "$root/sbin"  # where the kernel looks for modprobe
# Programs, and the libraries that each of them loads.
for program in "$build/cli/sluice" /usr/bin/curl /usr/bin/openssl; do
  install "$program" "$root/usr/bin/${program##*/}"
  ldd "$program" | grep -o '/[^ ]*' | while read -r library; do
    install -D "$(realpath "$library")" "$root$library"
  done
done
cp /etc/ssl/openssl.cnf "$root/etc/ssl/"
mkdir -p "$root/usr/lib/ssl" && ln -s /etc/ssl/openssl.cnf "$root/usr/lib/ssl/openssl.cnf"
printf 'root:x:0:0:root:/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n' >"$root/etc/passwd"
printf 'root:x:0:\nnogroup:x:65534:\n' >"$root/etc/group"
install tests/ktls_vm/init.sh "$root/init"
cp tests/ktls_vm/sluice.yaml "$root/vm/"
printf '#!/bin/sh\nprintf "Content-Type: text/plain\\r\\n\\r\\n"\nhead -c "$CONTENT_LENGTH" | sha256sum | cut -d " " -f 1\n' >"$root/vm/www/cgi-bin/sum"
chmod 755 "$root/vm/www/cgi-bin/sum"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=gw.test \
  -addext subjectAltName=DNS:gw.test -out "$root/vm/gw.crt" -keyout "$root/vm/gw.key" 2>/dev/null
"$build/cli/sluice" key signing --file "$root/vm/audit.key" --origin ktls-vm >/dev/null 2>&1

(cd "$root" && find . | cpio --quiet -o -H newc -R 0:0) | gzip -1 >"$work/initramfs.gz"
timeout 900 qemu-system-x86_64 -M q35 -cpu max -smp 2 -m 1024 -nographic -no-reboot -nic none \
  -kernel "$work/kernel/boot/vmlinuz-$version" -initrd "$work/initramfs.gz" \
  -append "console=ttyS0 quiet panic=-1" </dev/null | tee "$work/console.log" | tr -d '\r' | grep -E --line-buffered '^(PASS|FAIL|DONE)' || true

passed=$(tr -d '\r' <"$work/console.log" | grep -c '^PASS' || true)
failed=$(tr -d '\r' <"$work/console.log" | grep -c '^FAIL' || true)
if ! tr -d '\r' <"$work/console.log" | grep -q '^DONE$'; then
  echo "the virtual machine did not come to its end; its console:"
  tail -n 40 "$work/console.log"
  exit 1
fi
if [ "$failed" -ne 0 ]; then tr -d '\r' <"$work/console.log" | tail -n 80; fi
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
