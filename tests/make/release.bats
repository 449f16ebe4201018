#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# What a release consists of: the tarball, and the packages that are built from it, without git.

load ../lib/common
load ../postfix/real

setup_file()
{
    export DIST=$BATS_FILE_TMPDIR/dist
    make -s -C "$ROOT" B="$DIST" dist
    export TARBALL
    TARBALL=$(ls "$DIST"/postkick-*.tar.gz)
    export VERSION=${TARBALL##*/postkick-}
    VERSION=${VERSION%.tar.gz}
    export TOP=$BATS_FILE_TMPDIR/postkick-$VERSION
    (umask 077 && tar -x -C "$BATS_FILE_TMPDIR" -f "$TARBALL")
    # quick, and without a repository
    export CFLAGS=-O0 GIT_DIR=/nonexistent
}

# listed: paths from standard input, sorted, without the places that depend on the system.
listed()
{
    LC_ALL=C sort | sed -e '/build-id/d' -e 's/\.gz$//'
}

# installed: what "make install" has of the program's files, when it is called postkick-multi.
installed()
{
    make -s -C "$TOP" install DESTDIR="$BATS_TEST_TMPDIR/stage" PREFIX=/usr NAME=postkick-multi "$@"
    (cd "$BATS_TEST_TMPDIR/stage" && find . ! -type d -printf '/%P\n') | listed
}

@test "the tarball is the same bytes, made again elsewhere and later" {
    find "$TOP" -exec touch {} +
    (umask 077 && TZ=Asia/Tokyo LC_ALL=C make -s -C "$TOP" dist)
    cmp "$TARBALL" "$TOP/build/${TARBALL##*/}"
    is "$(tar -t -f "$TARBALL" | grep -c -v "^postkick-$VERSION/[^/]")" 0
}

# repository: the tree of the tarball as one, with a commit, entered.
repository()
{
    unset GIT_DIR
    cp -r "$TOP" "$BATS_TEST_TMPDIR/repository"
    cd "$BATS_TEST_TMPDIR/repository"
    sed -i '/^[a-z]*="/s/postkick\.invalid/postkick.example/' scripts/release
    scripts/release --set >/dev/null
    git init -q
    git config user.name tester
    git config user.email tester@example.com
    git add -A
    git commit -q -m "All of it"
}

@test "scripts/release: a tarball, its checksum, and a tag" {
    command -v git >/dev/null || skip "needs git"
    repository
    run scripts/release
    is "$status" 0
    make -s dist
    (cd build/release && sha256sum --quiet -c SHA256SUMS && cmp "postkick-$VERSION.tar.gz" ../postkick-"$VERSION".tar.gz)
    is "$(git cat-file -t "v$VERSION")" tag
    run scripts/release
    is "$status" 1
    has "$output" "v$VERSION exists already"
    git tag -d "v$VERSION" >/dev/null
    echo >>README.md
    run scripts/release
    is "$status" 1
    has "$output" "there are changes that are not committed"
    is "$(git tag)" ""
}

@test "scripts/release: versions and dates are those of CHANGELOG.md" {
    run "$ROOT/scripts/release" --check
    is "$status$output" 0
    cp -r "$TOP" "$BATS_TEST_TMPDIR/next"
    cd "$BATS_TEST_TMPDIR/next"
    sed -i '3i ## [99.8.7] - 2030-01-02\n\nMore.\n' CHANGELOG.md
    run scripts/release --check
    is "$status" 1
    is "$(sed 's/:.*//' <<<"$output" | sort)" "$(ls man/*.[1-8] scripts/ansible/galaxy.yml scripts/apk/APKBUILD \
        scripts/debian/changelog scripts/rpm/postkick.spec scripts/rpm/postkick.spec | sort)"
    run scripts/release
    is "$status" 1
    has "$output" "not 99.8.7 of 2030-01-02; see --set:"
    scripts/release --set
    run scripts/release --check
    is "$status$output" 0
    is "$(head -n 1 scripts/debian/changelog)" "postkick (99.8.7-1) unstable; urgency=medium"
    is "$(dpkg-parsechangelog -l scripts/debian/changelog -S Timestamp)" "$(date -u -d 2030-01-02 +%s)"
    has "$(rpm -q --specfile scripts/rpm/postkick.spec --changelog 2>/dev/null | head -n 1)" "Wed Jan 02 2030"
    is "$(tail -n 5 scripts/debian/changelog)" "$(tail -n 5 "$ROOT/scripts/debian/changelog")"
}

@test "scripts/release: addresses are set in it, and nothing is released before" {
    cp -r "$TOP" "$BATS_TEST_TMPDIR/addressed"
    cd "$BATS_TEST_TMPDIR/addressed"
    run scripts/release
    is "$status" 1
    has "$output" "set maintainer, homepage and repository"
    sed -i -e '/^maintainer=/s/=.*/="A. Mailer <a.mailer@mail.example>"/' \
        -e '/^homepage=/s/=.*/="https:\/\/www.example\/kick\/"/' \
        -e '/^repository=/s/=.*/="https:\/\/git.example\/kick"/' scripts/release
    run scripts/release
    is "$status" 1
    has "$output" "SECURITY.md: Mail: postkick@postkick.invalid"
    scripts/release --set >/dev/null
    run scripts/release --check
    is "$status$output" 0
    # those that are left say what a placeholder is
    is "$(grep -r -l 'postkick[.]invalid' . --exclude-dir=tests | sort)" "./RELEASING.md
./scripts/release"
    is "$(dpkg-parsechangelog -l scripts/debian/changelog -S Maintainer)" "A. Mailer <a.mailer@mail.example>"
}

@test "apk: its functions install the program beside Postfix's" {
    local each
    cd "$TOP"
    sh -eu -c '. scripts/apk/APKBUILD; pkgdir=$1; build; package' - "$BATS_TEST_TMPDIR/root" >/dev/null
    is "$(cd "$BATS_TEST_TMPDIR/root" && find . ! -type d -printf '/%P\n' | listed)" "$(installed)"
    for each in usr/sbin/postkick usr/share/man/man1/postkick.1; do
        [ -e "$BATS_TEST_TMPDIR/root/${each/postkick/postkick-multi}" ] && [ ! -e "$BATS_TEST_TMPDIR/root/$each" ]
    done
    # shellcheck disable=SC2154 # they are the package's
    for each in $(. scripts/apk/APKBUILD; echo "$install" "${triggers%%=*}"); do [ -x "scripts/apk/$each" ]; done
}

# rpm_of SPEC [OPTION...]: builds it; Debian's rpm knows no packages, and its helpers are for Fedora.
rpm_of()
{
    rpmbuild -bb --quiet --nodeps --define "_topdir $BATS_FILE_TMPDIR/rpm" --define "_sourcedir $DIST" \
        --define 'debug_package %{nil}' --define '__os_install_post %{nil}' \
        --define 'optflags -O0' --define '_libdir /usr/lib64' "$@"
}

# postfix_rpm: a package as that of Postfix, in $BATS_TEST_TMPDIR.
postfix_rpm()
{
    local each
    for each in usr/sbin/postkick usr/share/man/man1/postkick.1; do
        install -D /bin/true "$BATS_TEST_TMPDIR/own/$each"
    done
    cat >"$BATS_TEST_TMPDIR/postfix.spec" <<END
Name: postfix
Version: 3.8
Release: 1
Summary: Postfix
License: IPL
%description
Postfix
%install
cp -r $BATS_TEST_TMPDIR/own/. %{buildroot}
%files
/usr/sbin/postkick
/usr/share/man/man1/postkick.1
END
    rpm_of "$BATS_TEST_TMPDIR/postfix.spec"
    mv "$BATS_FILE_TMPDIR"/rpm/RPMS/*/postfix-*.rpm "$BATS_TEST_TMPDIR/postfix.rpm"
}

# rpm_there ARGUMENT...: in the namespace, for its packages only.
rpm_there()
{
    run host rpm --dbpath /var/lib/rpm-of-test --nodeps "$@"
}

@test "rpm: built from the tarball, it lives beside the package of Postfix, and follows its upgrades" {
    local package=$BATS_TEST_TMPDIR/postkick.rpm
    command -v rpmbuild >/dev/null || skip "needs rpmbuild"
    rpm_of "$TOP/scripts/rpm/postkick.spec"
    mv "$BATS_FILE_TMPDIR"/rpm/RPMS/*/postkick-*.rpm "$package"
    is "$(rpm -q -p --qf '[%{FILEMODES:perms} %{FILENAMES}\n]' "$package" |
        sed -n 's/^[-l][^ ]* //p' | grep -v -e "/doc/postkick-$VERSION/" -e /licenses/ -e postkick-postfix.ini | listed)" \
        "$(installed LIBDIR=/usr/lib64)"
    host_can || skip "needs root, and Postfix"
    host_open
    [ -n "${HOST:-}" ] || skip "needs mount namespaces"
    # A /usr of its own, and a postconf(1) that remembers that it was asked: not in /tmp, for rpm(8)
    # may give its scripts another one.
    host sh -c "mkdir '$HOST/usr' '$HOST/usr.work' && mount -t overlay overlay \
        -o lowerdir=/usr,upperdir='$HOST/usr',workdir='$HOST/usr.work' /usr &&
        mv /usr/sbin/postconf /usr/sbin/postconf.real &&
        printf '#!/bin/sh\necho asked >>/etc/asked\nexec /usr/sbin/postconf.real \"\$@\"\n' >/usr/sbin/postconf &&
        chmod 755 /usr/sbin/postconf"
    postfix_rpm
    rpm_there -i "$BATS_TEST_TMPDIR/postfix.rpm"
    is "$status" 0
    rpm_there -i "$package"
    is "$status" 0
    host cmp /bin/true /usr/sbin/postkick
    has "$(host postkick-multi --version)" "postkick $VERSION"
    host rm /etc/asked # by the installation
    rpm_there -U --replacepkgs "$BATS_TEST_TMPDIR/postfix.rpm"
    is "$status" 0
    host rm /etc/asked
    host test -e /etc/postkick-postfix.ini
    host postconf.real -e 'multi_instance_wrapper = /usr/sbin/postkick-multi -p --'
    rpm_there -e postkick
    is "$status" 1
    has "$output" "postkick: not removed: main.cf has multi_instance_wrapper = "
    host postconf.real -X multi_instance_wrapper
    rpm_there -e postkick
    is "$status" 0
    is "$(host find /usr/sbin /usr/lib64 /usr/lib/systemd /etc -name '*postkick*')" /usr/sbin/postkick
    host_close
}
