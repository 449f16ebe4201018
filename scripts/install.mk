# SPDX-License-Identifier: MIT
# The Makefile's part for installation. Like PREFIX, each directory can be set: SBINDIR, MANDIR, LIBDIR,
# PLUGINS (of Nagios), UNITDIR (of systemd), SHARE, EXAMPLES and COMPLETIONS. DESTDIR stands before all.
# NAME is the program's: another one, such as postkick-multi, lets Postfix's own stand beside it.

#: make install          installs it into PREFIX (/usr/local) and SYSCONFDIR (/etc), below DESTDIR
#: make uninstall        removes it again, except the settings

NAME = postkick
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
LIBDIR = $(PREFIX)/lib
PLUGINS = $(LIBDIR)/nagios/plugins
UNITDIR = $(PREFIX)/lib/systemd/system
SHARE = $(PREFIX)/share/postkick
EXAMPLES = $(PREFIX)/share/doc/postkick/examples
COMPLETIONS = $(PREFIX)/share/bash-completion/completions
INI = $(DESTDIR)$(SETTINGS)

PROGRAMS = $B/postkick scripts/postkick-metrics scripts/postkick-settings
DATA = conf/grafana.json conf/postkick.schema.json conf/postkick.ini conf/postfix.ini
UNITS = $(wildcard conf/systemd/*)
MAN = $(wildcard man/*.[1-8])
COMPLETED = $(patsubst postkick,$(NAME),$(shell sed -n 's/^complete .* //p' $(COMPLETION)))
COMPLETION = scripts/postkick.bash-completion
MAN_SECTIONS = $(sort $(subst .,,$(suffix $(MAN))))

# The files that are installed, from the root: texts, in which the places are those of this
# installation, and the rest.
at = $(addprefix $1/,$(notdir $2))
TEXTS = $(call at,$(SBINDIR),$(filter scripts/%,$(PROGRAMS))) $(PLUGINS)/check_postkick \
	$(EXAMPLES)/postkick-network-up $(call at,$(UNITDIR),$(UNITS)) \
	$(foreach section,$(MAN_SECTIONS),$(patsubst %/postkick.1,%/$(NAME).1, \
	$(call at,$(MANDIR)/man$(section),$(filter %.$(section),$(MAN)))))
INSTALLED = $(TEXTS) $(SBINDIR)/$(NAME) $(call at,$(SHARE),$(DATA)) $(SHARE)/uninstall-guard \
	$(call at,$(COMPLETIONS),$(COMPLETED))
PLACES = -e 's|/usr/local/sbin/postkick|$(SBINDIR)/postkick|' \
	-e 's|/usr/local/share/|$(PREFIX)/share/|' \
	-e 's|/usr/lib/nagios/plugins|$(PLUGINS)|' \
	-e 's|/etc/postkick\(-postfix\)\{0,1\}\.ini|$(SYSCONFDIR)/postkick\1.ini|' \
	-e 's|/completions/postkick$$|/completions/$(NAME)|' \
	-e 's|=/usr/sbin/|=$(SBINDIR)/|' \
	-e 's|:-postkick}|:-$(SBINDIR)/postkick}|' \
	-e 's|^shipped=.*|shipped=$(SHARE)/postfix.ini|' -e 's|^version=.*|version=$(VERSION)|' \
	-e 's,$(SBINDIR)/postkick\([^-a-z]\|$$\),$(SBINDIR)/$(NAME)\1,g'

# Postfix has a program and a manual page of the same names.
define keep_others
	@for file in $(DESTDIR)$(SBINDIR)/$(NAME) $(DESTDIR)$(MANDIR)/man1/$(NAME).1; do \
		if [ -e $$file ] && ! grep -q 'postkick\.ini' $$file; then \
			echo "$$file is not this project's, but Postfix's perhaps, and stays:" \
				"set NAME=postkick-multi, or SBINDIR= and MANDIR=" >&2; exit 1; fi; done
endef

# The page of the program's other name says so.
ifneq ($(NAME),postkick)
PAGE = 's|^\.Sh DESCRIPTION$$|&\nOn this system the program is called\n.Nm $(NAME) ;\n.Nm\nis that of Postfix.\n.Pp|'
endif

install: all
	$(keep_others)
	install -d $(addprefix $(DESTDIR),$(sort $(dir $(INSTALLED)) $(SYSCONFDIR)))
	install -m 755 $B/postkick $(DESTDIR)$(SBINDIR)/$(NAME)
	install -m 755 $(filter scripts/%,$(PROGRAMS)) $(DESTDIR)$(SBINDIR)
	install -m 755 scripts/check_postkick $(DESTDIR)$(PLUGINS)
	install -m 755 scripts/postkick-network-up $(DESTDIR)$(EXAMPLES)
	@# settings that nobody changed are replaced
	if [ -L $(INI) ] || { [ -e $(INI) ] && ! cmp -s $(INI) $(DESTDIR)$(SHARE)/postkick.ini; }; then \
		echo '$(INI) stays as it is'; else install -m 644 conf/postkick.ini $(INI); fi
	install -m 644 $(DATA) $(DESTDIR)$(SHARE)
	install -m 755 scripts/uninstall-guard $(DESTDIR)$(SHARE)
	install -m 644 $(UNITS) $(DESTDIR)$(UNITDIR)
	for page in $(filter-out man/postkick.1,$(MAN)); do \
		install -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.} || exit; done
	install -m 644 man/postkick.1 $(DESTDIR)$(MANDIR)/man1/$(NAME).1
	sed -i $(PLACES) $(addprefix $(DESTDIR),$(TEXTS))
	$(if $(PAGE),sed -i $(PAGE) $(DESTDIR)$(MANDIR)/man1/$(NAME).1)
	install -m 644 $(COMPLETION) $(DESTDIR)$(COMPLETIONS)/$(NAME)
	sed -i 's/^\(complete -F _postkick\) .*/\1 $(NAME)/' $(DESTDIR)$(COMPLETIONS)/$(NAME)
	@# bash looks for a file of the command's name
	for each in $(filter-out $(NAME),$(COMPLETED)); do \
		ln -sf $(NAME) $(DESTDIR)$(COMPLETIONS)/$$each || exit; done
	[ -n '$(DESTDIR)' ] || ! command -v postconf >/dev/null || $(SBINDIR)/postkick-settings --write

# The settings stay: they may have been changed. A staging directory has no Postfix that needs us.
uninstall:
	$(keep_others)
	[ -n '$(DESTDIR)' ] || scripts/uninstall-guard $(SBINDIR)/$(NAME)
	rm -f $(addprefix $(DESTDIR),$(INSTALLED))
	-rmdir $(addprefix $(DESTDIR),$(EXAMPLES) $(dir $(EXAMPLES)) $(SHARE))
	@[ ! -e $(INI) ] || echo '$(INI) stays'
	@# the generated file may be another installation's, too
	[ -n '$(DESTDIR)' ] || command -v postkick-settings >/dev/null || rm -f $(GENERATED)

.PHONY: install uninstall
