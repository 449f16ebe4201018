# SPDX-License-Identifier: MIT
# The Makefile's part for releases: the tarball, and packages. See RELEASING.md.

#: make dist             makes build/postkick-VERSION.tar.gz, of all files that git does not ignore
#: make deb              builds the Debian package in build/deb
#: make collection       builds the Ansible collection

# The same tree makes the same bytes, wherever and whenever: the time of all files is the version's. An
# unpacked tarball makes itself again; it has no git, and all its files count.
DATE = $(shell sed -n 's/^\#\# \[[0-9].*\] - \([0-9-]*\)$$/\1/p' CHANGELOG.md | head -n 1)
DIST = postkick-$(VERSION)
dist: $B/$(DIST).tar.gz
$B/$(DIST).tar.gz: FORCE | $B
	if [ -e .git ]; then git ls-files -z -co --exclude-standard; \
	else find . ! -type d ! -path './build*' ! -path ./compile_commands.json -printf '%P\0'; fi | \
		LC_ALL=C sort -z | tar -c -f $B/$(DIST).tar --null --files-from=- --format=ustar \
		--transform='flags=r;s|^|$(DIST)/|' --mtime='$(DATE) UTC' --mode=u=rwX,go=rX \
		--owner=0 --group=0 --numeric-owner
	gzip -9 -n -f $B/$(DIST).tar

# The Debian package and, to be built with ansible-galaxy(1), the collection; both in $B.
deb:
	scripts/deps deb
	scripts/build-package $B/deb

collection:
	ansible-galaxy collection build --force --output-path $B scripts/ansible

.PHONY: dist deb collection
