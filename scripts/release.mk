# SPDX-License-Identifier: MIT
# The Makefile's part for releases: packages.

#: make deb              builds the Debian package in build/deb
#: make collection       builds the Ansible collection

# The Debian package and, to be built with ansible-galaxy(1), the collection; both in $B.
deb:
	scripts/deps deb
	scripts/build-package $B/deb

collection:
	ansible-galaxy collection build --force --output-path $B scripts/ansible

.PHONY: deb collection
