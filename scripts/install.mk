# SPDX-License-Identifier: MIT
# The Makefile's part for installation. Like PREFIX, each directory can be set: SBINDIR, MANDIR, LIBDIR,
# PLUGINS (of Nagios), UNITDIR (of systemd), SHARE, EXAMPLES and COMPLETIONS. DESTDIR stands before all.

#: make install          installs it into PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR
#: make uninstall        removes it again, but for the settings

SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
LIBDIR = $(PREFIX)/lib
PLUGINS = $(LIBDIR)/nagios/plugins
UNITDIR = $(PREFIX)/lib/systemd/system
SHARE = $(PREFIX)/share/postkick
EXAMPLES = $(PREFIX)/share/doc/postkick/examples
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
INI = $(DESTDIR)$(SYSCONFDIR)/postkick.ini

PROGRAMS = $B/postkick scripts/postkick-metrics scripts/postkick-requeue scripts/postkick-settings
DATA = conf/postkick.schema.json conf/postkick.ini
UNITS = $(wildcard conf/systemd/*)
MAN = $(wildcard man/*.[1-8])
COMPLETED = $(shell sed -n 's/^complete -F [^ ]* //p' scripts/postkick.bash-completion)
MAN_SECTIONS = $(sort $(subst .,,$(suffix $(MAN))))

# What is installed, from the root: the texts, in which the places are those of this installation, and
# the rest.
at = $(addprefix $1/,$(notdir $2))
TEXTS = $(call at,$(SBINDIR),$(filter scripts/%,$(PROGRAMS))) $(PLUGINS)/check_postkick \
	$(EXAMPLES)/postkick-network-up $(call at,$(UNITDIR),$(UNITS)) \
	$(foreach section,$(MAN_SECTIONS),$(call at,$(MANDIR)/man$(section),$(filter %.$(section),$(MAN))))
INSTALLED = $(TEXTS) $(SBINDIR)/postkick $(call at,$(SHARE),$(DATA)) $(SHARE)/uninstall-guard \
	$(call at,$(COMPLETIONS),$(COMPLETED))
PLACES = -e 's|/usr/local/sbin/postkick|$(SBINDIR)/postkick|' \
	-e 's|/usr/local/share/|$(PREFIX)/share/|' \
	-e 's|/usr/lib/nagios/plugins|$(PLUGINS)|' \
	-e 's|/etc/postkick.ini|$(SYSCONFDIR)/postkick.ini|' \
	-e 's|=/usr/sbin/|=$(SBINDIR)/|' \
	-e 's|:-postkick}|:-$(SBINDIR)/postkick}|' \
	-e 's|^shipped=.*|shipped=$(SHARE)/postkick.ini|'

# Postfix has a program and a manual page of the same names.
define keep_others
	@for file in $(DESTDIR)$(SBINDIR)/postkick $(DESTDIR)$(MANDIR)/man1/postkick.1; do \
		if [ -e $$file ] && ! grep -q 'postkick\.ini' $$file; then \
			echo "$$file is not this postkick's, but Postfix's own perhaps, and stays:" \
				"set SBINDIR and MANDIR to other directories" >&2; exit 1; fi; done
endef

install: all
	$(keep_others)
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED)) $(SYSCONFDIR)))
	install -m 755 $(PROGRAMS) $(DESTDIR)$(SBINDIR)
	install -m 755 scripts/check_postkick $(DESTDIR)$(PLUGINS)
	install -m 755 scripts/postkick-network-up $(DESTDIR)$(EXAMPLES)
	install -m 644 $(DATA) $(DESTDIR)$(SHARE)
	install -m 755 scripts/uninstall-guard $(DESTDIR)$(SHARE)
	install -m 644 $(UNITS) $(DESTDIR)$(UNITDIR)
	for page in $(MAN); do install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit; done
	sed -i $(PLACES) $(addprefix $(DESTDIR),$(TEXTS))
	install -m 644 scripts/postkick.bash-completion $(DESTDIR)$(COMPLETIONS)/postkick
	@# bash looks for a file of the command's name
	for each in $(filter-out postkick,$(COMPLETED)); do \
		ln -sf postkick $(DESTDIR)$(COMPLETIONS)/$$each || exit; done
	if [ -e $(INI) ] || [ -L $(INI) ]; then echo '$(INI) stays as it is: see postkick-settings(8)'; \
	else install -m 644 conf/postkick.ini $(INI) && { ! command -v postconf >/dev/null || \
		scripts/postkick-settings --write -f $(INI) >/dev/null; }; fi

# The settings stay: they may have been changed. A staging directory has no Postfix that needs us.
uninstall:
	$(keep_others)
	[ -n '$(DESTDIR)' ] || scripts/uninstall-guard $(SBINDIR)/postkick
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(addprefix $(DESTDIR),$(EXAMPLES) $(dir $(EXAMPLES)) $(SHARE))
	@[ ! -e $(INI) ] || echo '$(INI) stays: remove it before the Debian package is installed'

.PHONY: install uninstall
