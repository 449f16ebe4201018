# SPDX-License-Identifier: MIT
# The Makefile's part for installation. SBINDIR, MANDIR, LIBDIR, PLUGINS and UNITDIR can be set like
# PREFIX; DESTDIR comes before them all.

#: make install          installs it into PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR
#: make uninstall        removes it again, but for the settings

SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man

MAN1 = $(wildcard man/*.1)
MAN5 = $(wildcard man/*.5)
MAN8 = $(wildcard man/*.8)
PROGRAMS = $B/postkick scripts/postkick-requeue scripts/postkick-settings
EXAMPLES = $(DESTDIR)$(PREFIX)/share/doc/postkick/examples
INI = $(DESTDIR)$(SYSCONFDIR)/postkick.ini
COMPLETIONS = $(DESTDIR)$(PREFIX)/share/bash-completion/completions

# What the manual pages say of where things are.
PATHS = -e 's|/usr/local/sbin/postkick|$(SBINDIR)/postkick|' \
	-e 's|/usr/local/share/|$(PREFIX)/share/|' \
	-e 's|/usr/lib/nagios|$(PREFIX)/lib/nagios|' \
	-e 's|/etc/postkick.ini|$(SYSCONFDIR)/postkick.ini|'

install: all install-host
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(SYSCONFDIR) $(COMPLETIONS) $(EXAMPLES)
	install -d $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(PROGRAMS) $(DESTDIR)$(SBINDIR)
	install -m 644 $(MAN1) $(DESTDIR)$(MANDIR)/man1
	install -m 644 $(MAN5) $(DESTDIR)$(MANDIR)/man5
	install -m 644 $(MAN8) $(DESTDIR)$(MANDIR)/man8
	sed -i $(PATHS) $(MAN1:man/%=$(DESTDIR)$(MANDIR)/man1/%) \
		$(MAN5:man/%=$(DESTDIR)$(MANDIR)/man5/%) $(MAN8:man/%=$(DESTDIR)$(MANDIR)/man8/%)
	install -m 644 scripts/postkick.bash-completion $(COMPLETIONS)/postkick
	ln -sf postkick $(COMPLETIONS)/postkick-requeue # bash looks for a file of the command's name
	ln -sf postkick $(COMPLETIONS)/postkick-settings
	install -m 755 scripts/postkick-network-up $(EXAMPLES)
	sed -i -e 's|^settings=.*|settings=$(SYSCONFDIR)/postkick.ini|' \
		-e 's|^shipped=.*|shipped=$(PREFIX)/share/postkick/postkick.ini|' \
		$(DESTDIR)$(SBINDIR)/postkick-settings
	install -m 644 conf/postkick.ini $(SHARE)
	if [ -e $(INI) ] || [ -L $(INI) ]; then echo '$(INI) stays as it is: see postkick-settings(8)'; \
	else install -m 644 conf/postkick.ini $(INI) && { ! command -v postconf >/dev/null || \
		scripts/postkick-settings --write -f $(INI) >/dev/null; }; fi

# The settings stay: they may have been changed. A staging directory has no Postfix that needs us.
uninstall:
	[ -n '$(DESTDIR)' ] || scripts/uninstall-guard $(SBINDIR)/postkick
	rm -f $(addprefix $(DESTDIR)$(SBINDIR)/,$(notdir $(PROGRAMS)))
	rm -f $(MAN1:man/%=$(DESTDIR)$(MANDIR)/man1/%) $(MAN5:man/%=$(DESTDIR)$(MANDIR)/man5/%) \
		$(MAN8:man/%=$(DESTDIR)$(MANDIR)/man8/%)
	rm -f $(addprefix $(COMPLETIONS)/,$(notdir $(PROGRAMS))) $(EXAMPLES)/postkick-network-up
	-rmdir $(EXAMPLES) $(dir $(EXAMPLES))
	rm -f $(DESTDIR)$(SBINDIR)/postkick-metrics $(PLUGINS)/check_postkick \
		$(MAN7:man/%=$(DESTDIR)$(MANDIR)/man7/%) $(UNITS:conf/systemd/%=$(UNITDIR)/%) \
		$(SHARE)/postkick.schema.json $(SHARE)/postkick.ini
	-rmdir $(SHARE)
	@[ ! -e $(INI) ] || echo '$(INI) stays: remove it before the Debian package is installed'

# What monitoring, systemd and readers of the JSON output find on the host.
MAN7 = $(wildcard man/*.7)
UNITS = $(wildcard conf/systemd/*)
UNITDIR = $(DESTDIR)$(PREFIX)/lib/systemd/system
PLUGINS = $(DESTDIR)$(PREFIX)/lib/nagios/plugins
SHARE = $(DESTDIR)$(PREFIX)/share/postkick

install-host:
	install -d $(DESTDIR)$(SBINDIR) $(UNITDIR) $(PLUGINS) $(SHARE) $(DESTDIR)$(MANDIR)/man7
	install -m 755 scripts/postkick-metrics $(DESTDIR)$(SBINDIR)
	install -m 755 scripts/check_postkick $(PLUGINS)
	install -m 644 conf/postkick.schema.json $(SHARE)
	install -m 644 $(MAN7) $(DESTDIR)$(MANDIR)/man7
	install -m 644 $(UNITS) $(UNITDIR)
	sed -i 's|=/usr/sbin/|=$(SBINDIR)/|' $(UNITS:conf/systemd/%=$(UNITDIR)/%)

.PHONY: install uninstall install-host
