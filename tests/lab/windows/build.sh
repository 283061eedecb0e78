#!/bin/bash
# Builds a Windows qemu-ga.exe and what the tests run beside it, from Debian's source packages alone.
#
#   build.sh FOLDER SOURCES
#
# FOLDER is the cache's; SOURCES a one-line-style deb-src mirror. What is there already is kept. Five minutes on
# two cores, 2 GB. The agent is QEMU 10.0 of trixie with GLib of bookworm, tar.exe is libarchive's bsdtar and
# curl.exe curl, as Windows 10 has them since 1803.
set -eu
HERE=$(cd "$(dirname "$0")" && pwd)
W=$1 MIRROR=$2
S=$W/sys J=$(nproc)
mkdir -p "$W/src" "$S/include" "$S/lib/pkgconfig"
cd "$W"

# QEMU 10 wants a younger meson than bookworm has.
if [ ! -e "$W/mesonvenv/bin/meson" ]; then
  python3 -m venv "$W/mesonvenv"
  "$W/mesonvenv/bin/pip" -q install meson==1.8.2 setuptools wheel distlib tomli
fi
M=$W/mesonvenv/bin/meson

# --- sources
cd "$W/src"
fetch() { # RELEASE PACKAGE...
  local release=$1 key=/usr/share/keyrings/debian-archive-keyring.gpg
  shift
  mkdir -p "$W/$release/lists"
  echo "deb-src [signed-by=$key] $MIRROR $release main" >"$W/$release/sources.list"
  set -- -o "Dir::Etc::sourcelist=$W/$release/sources.list" -o Dir::Etc::sourceparts=/nonexistent \
    -o "Dir::State::lists=$W/$release/lists" source --download-only "$@"
  apt-get -qq "${@:1:6}" update
  apt-get -qq "$@"
}
[ -e qemu_10.0*.dsc ] || fetch trixie qemu
[ -e curl_7*.dsc ] || fetch bookworm glib2.0 pcre2 libffi curl libarchive
for d in *.dsc; do
  [ -e "$d.unpacked" ] || { dpkg-source --no-check -x "$d" >/dev/null; touch "$d.unpacked"; }
done

# --- libintl stub: gettext calls pass their text through
cat >$S/include/libintl.h <<'E'
#ifndef STUB_LIBINTL_H
#define STUB_LIBINTL_H
#include <locale.h>
#ifndef LC_MESSAGES
#define LC_MESSAGES 1729 /* as proxy-libintl */
static inline char *stub_setlocale(int c, const char *l) { return c == LC_MESSAGES ? (char *)"C" : (setlocale)(c, l); }
#define setlocale(c, l) stub_setlocale(c, l)
#endif
#ifdef __cplusplus
extern "C" {
#endif
#define STUB_F(n) __attribute__((format_arg(n)))
char *gettext(const char *m) STUB_F(1);
char *dgettext(const char *d, const char *m) STUB_F(2);
char *dcgettext(const char *d, const char *m, int c) STUB_F(2);
char *ngettext(const char *a, const char *b, unsigned long n) STUB_F(1) STUB_F(2);
char *dngettext(const char *d, const char *a, const char *b, unsigned long n) STUB_F(2) STUB_F(3);
char *dcngettext(const char *d, const char *a, const char *b, unsigned long n, int c) STUB_F(2) STUB_F(3);
char *textdomain(const char *d);
char *bindtextdomain(const char *d, const char *p);
char *bind_textdomain_codeset(const char *d, const char *c);
#ifdef __cplusplus
}
#endif
#endif
E
cat >$W/intl.c <<'E'
#include "libintl.h"
char *gettext(const char *m){return (char*)m;}
char *dgettext(const char *d,const char *m){return (char*)m;}
char *dcgettext(const char *d,const char *m,int c){return (char*)m;}
char *ngettext(const char *a,const char *b,unsigned long n){return (char*)(n==1?a:b);}
char *dngettext(const char *d,const char *a,const char *b,unsigned long n){return (char*)(n==1?a:b);}
char *dcngettext(const char *d,const char *a,const char *b,unsigned long n,int c){return (char*)(n==1?a:b);}
char *textdomain(const char *d){return (char*)(d?d:"messages");}
char *bindtextdomain(const char *d,const char *p){return (char*)p;}
char *bind_textdomain_codeset(const char *d,const char *c){return (char*)c;}
E
x86_64-w64-mingw32-gcc -O2 -I$S/include -c $W/intl.c -o $W/intl.o
x86_64-w64-mingw32-ar rcs $S/lib/libintl.a $W/intl.o

# --- cross files
cat >$W/cross-pkg-config <<E
#!/bin/sh
PKG_CONFIG_LIBDIR=$S/lib/pkgconfig; export PKG_CONFIG_LIBDIR; unset PKG_CONFIG_PATH
exec /usr/bin/pkg-config --static "\$@"
E
chmod +x $W/cross-pkg-config
cat >$W/cross.ini <<E
[binaries]
c = 'x86_64-w64-mingw32-gcc'
cpp = 'x86_64-w64-mingw32-g++'
ar = 'x86_64-w64-mingw32-ar'
ranlib = 'x86_64-w64-mingw32-ranlib'
strip = 'x86_64-w64-mingw32-strip'
windres = 'x86_64-w64-mingw32-windres'
pkg-config = '$W/cross-pkg-config'
[built-in options]
c_args = ['-I$S/include', '-DPCRE2_STATIC', '-DFFI_STATIC_BUILD', '-DFFI_BUILDING']
cpp_args = ['-I$S/include']
cpp_link_args = ['-L$S/lib', '-static-libgcc', '-static-libstdc++']
c_link_args = ['-L$S/lib', '-static-libgcc']
[properties]
needs_exe_wrapper = true
[host_machine]
system = 'windows'
cpu_family = 'x86_64'
cpu = 'x86_64'
endian = 'little'
E

# --- pcre2, libffi (autotools, static)
if [ ! -e $S/lib/libpcre2-8.a ]; then
  mkdir -p $W/b-pcre2; cd $W/b-pcre2
  $W/src/pcre2-10.42/configure -q --host=x86_64-w64-mingw32 --prefix=$S --disable-shared --enable-static --enable-unicode --disable-pcre2-16 --disable-pcre2-32 --disable-pcre2grep-libz
  nice -n 10 make -s -j$J libpcre2-8.la; make -s install-libLTLIBRARIES install-nodist_includeHEADERS install-pkgconfigDATA || make -s install
fi
if [ ! -e $S/lib/libffi.a ]; then
  mkdir -p $W/b-ffi; cd $W/b-ffi
  $W/src/libffi-3.4.4/configure -q --host=x86_64-w64-mingw32 --prefix=$S --disable-shared --enable-static --disable-docs --disable-multi-os-directory
  nice -n 10 make -s -j$J; make -s install
fi
# --- glib
if [ ! -e $S/lib/libglib-2.0.a ]; then
  cd $W/src/glib2.0-2.74.6; python3 "$HERE/spawn_helper.py" glib/gspawn-win32-helper.c
  [ -e $W/b-glib/build.ninja ] || $M setup $W/b-glib --cross-file $W/cross.ini --prefix $S --libdir lib -Ddefault_library=static -Dbuildtype=release \
    -Dtests=false -Dlibmount=disabled -Dselinux=disabled -Dnls=disabled -Dlibelf=disabled -Dxattr=false -Dman=false -Dgtk_doc=false \
    -Ddtrace=false -Dsystemtap=false -Dglib_debug=disabled -Dinstalled_tests=false --wrap-mode nodownload
  nice -n 10 ninja -C $W/b-glib -j$J glib/libglib-2.0.a gmodule/libgmodule-2.0.a gobject/libgobject-2.0.a gthread/libgthread-2.0.a gio/libgio-2.0.a
  nice -n 10 ninja -C $W/b-glib -j$J
  $M install -C $W/b-glib --no-rebuild >/dev/null
fi
# --- qemu-ga
if [ ! -e $W/qemu-ga.exe ]; then
cd $W/src/qemu-10.0*/
rm -rf $W/b-qemu; mkdir $W/b-qemu; cd $W/b-qemu
PKG_CONFIG=$W/cross-pkg-config $W/src/qemu-10.0*/configure --cross-prefix=x86_64-w64-mingw32- --python=$W/mesonvenv/bin/python3 \
  --disable-download --without-default-features --disable-system --disable-user --disable-tools --disable-docs --enable-guest-agent \
  --disable-werror --disable-install-blobs --extra-cflags="-I$S/include -DGLIB_STATIC_COMPILATION -DPCRE2_STATIC" --extra-ldflags="-L$S/lib -static" --static
nice -n 10 ninja -j$J qga/qemu-ga.exe
x86_64-w64-mingw32-strip -o $W/qemu-ga.exe qga/qemu-ga.exe
fi

# --- tar.exe and curl.exe
if [ ! -e $W/curl.exe ]; then
  mkdir -p $W/b-curl; cd $W/b-curl
  protocols=$(printf -- '--disable-%s ' ldap ftp http dict gopher imap mqtt pop3 rtsp smb smtp telnet tftp)
  without=$(printf -- '--without-%s ' ssl zlib brotli zstd libpsl libidn2 nghttp2)
  $W/src/curl-7*/configure -q --host=x86_64-w64-mingw32 --disable-shared --disable-manual \
    --disable-pthreads --disable-threaded-resolver $protocols $without
  nice -n 10 make -s -j$J
  x86_64-w64-mingw32-strip -o $W/curl.exe src/curl.exe
fi
if [ ! -e $W/tar.exe ]; then
  mkdir -p $W/b-libarchive; cd $W/b-libarchive
  without=$(printf -- '--without-%s ' zlib bz2lib lzma lz4 zstd xml2 expat openssl iconv libb2)
  $W/src/libarchive-3*/configure -q --host=x86_64-w64-mingw32 --disable-shared --disable-acl --disable-xattr \
    --disable-bsdcpio --disable-bsdcat $without
  nice -n 10 make -s -j$J ACLOCAL=: AUTOCONF=: AUTOMAKE=: AUTOHEADER=: bsdtar.exe
  x86_64-w64-mingw32-strip -o $W/tar.exe bsdtar.exe
fi

# --- taskkill /T, which wine's lacks, and what the tests run
for p in args gen taskkill; do
  wide=; ! grep -q wmain "$HERE/$p.c" || wide=-municode
  x86_64-w64-mingw32-gcc -O2 $wide "$HERE/$p.c" -o $W/$p.exe
done
