# SPDX-License-Identifier: MIT
# postkick: see README.md. This file builds the program; tests, installation and releases have files of
# their own. Set CC CFLAGS CPPFLAGS LDFLAGS in the environment or on the command line,
# PREFIX SYSCONFDIR DESTDIR and the other directories of scripts/install.mk on the command line.

B = build
# Installing keeps the compiler and the flags of the build.
ifeq ($(MAKECMDGOALS),install)
-include $B/built.mk
endif
ifeq ($(origin CC),default)
CC = gcc
endif
CFLAGS ?= -O2 -g
PREFIX = /usr/local
SYSCONFDIR ?= /etc

VERSION := $(shell sed -n 's/^\#\# \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -n 1)

#: make                  builds the program, build/postkick; B names another directory than build
#: make compile_commands.json   for editors: how each file is compiled
#: make clean            removes all that was built

all: $B/postkick

# Flags that harden the program. Each is used if this compiler accepts it without a warning, together
# with the user's flags, which come last and override it. The compiler is asked once; $B/hardening has
# the answer.
WISHES = -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -D_FORTIFY_SOURCE=2 -fstack-protector-strong \
	-fstack-clash-protection -fcf-protection -mbranch-protection=standard
HASH := \#
ASKED := [$(CC) $(CPPFLAGS) $(CFLAGS)]
ANSWER := $(file <$B/hardening)
ifeq ($(findstring $(ASKED) -,$(ANSWER)),)
ANSWER := $(ASKED) $(shell has=; for flag in $(WISHES); do echo '$(HASH)include <stdio.h>' | \
	$(CC) -Werror $$has $$flag $(filter-out --coverage,$(CPPFLAGS) $(CFLAGS)) -x c -S -o /dev/null - \
	2>/dev/null && has="$$has $$flag"; done; echo $$has)
$B/hardening: FORCE
endif
HARDENING := $(subst $(ASKED) ,,$(ANSWER)) -fPIE

# The administrator's settings, and the file that postkick-settings(8) writes.
SETTINGS = $(SYSCONFDIR)/postkick.ini
GENERATED = $(SYSCONFDIR)/postkick-postfix.ini

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wvla
ALL_CPPFLAGS = -D_GNU_SOURCE -Isrc -I$B -DPOSTKICK_VERSION='"$(VERSION)"' \
	-DPOSTKICK_SETTINGS='"$(SETTINGS)"' -DPOSTKICK_GENERATED='"$(GENERATED)"'
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENING) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS = -liniparser -ljansson -lpthread
COMPILE = $(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)
LINK = $(COMPILE) $(ALL_LDFLAGS)

SOURCES := $(wildcard src/*.c src/*/*.c)
HEADERS := $(wildcard src/*.h src/*/*.h)
OBJECTS := $(SOURCES:src/%.c=$B/%.o)
LIBRARY := $(filter-out $B/main.o,$(OBJECTS))

$B/postkick: $(OBJECTS) $B/link
	$(LINK) -o $@ $(OBJECTS) $(LIBS)

$B/%.o: src/%.c $B/compile
	@mkdir -p $(@D)
	$(COMPILE) -MMD -MP -c -o $@ $<

# Files that hold a command. When the command changes, they and all that depends on them are made anew.
ifneq ($(file <$B/compile),$(COMPILE))
$B/compile: FORCE
endif
ifneq ($(file <$B/link),$(LINK))
$B/link: FORCE
endif
quoted = '$(subst ','\'',$1)'
$B/hardening: | $B
	@printf '%s\n' $(call quoted,$(ANSWER)) >$@

$B/compile: $B/hardening | $B
	@printf '%s\n' $(call quoted,$(COMPILE)) >$@

$B/link: $B/compile | $B
	@printf '%s\n' $(call quoted,$(LINK)) >$@
	@printf '%s\n' 'ifeq ($$(origin CC),default)' $(call quoted,CC = $(CC)) endif \
		$(foreach name,CFLAGS CPPFLAGS LDFLAGS SYSCONFDIR,$(call quoted,$(name) ?= $($(name)))) \
		>$B/built.mk
FORCE:

# The built-in settings are those of these files, also where a ; without a blank after it precedes
# them, as rows of a C table: {0, "section", "key", "value"},
$B/built_in.inc: conf/postkick.ini conf/postfix.ini Makefile | $B
	sed -n -e 's/[\\"]/\\&/g' -e 's/^;\([[a-z]\)/\1/' -e '/^\[\(.*\)\]$$/{s//\1/;h;}' -e '/^;/d' \
		-e '/ *=/{G;s/^\([a-z_]*\) *= *\(.*\)\n\(.*\)/    {0, "\3", "\1", "\2"},/p;}' $(filter %.ini,$^) >$@

$B/postfix/settings.o: $B/built_in.inc

$B/libpostkick.a: $(LIBRARY)
	rm -f $@
	$(AR) rcs $@ $(LIBRARY)

$B:
	mkdir -p $@

include tests/tests.mk
include scripts/install.mk
include scripts/release.mk

# How each file is compiled, for editors and clang's tools.
json = $(subst ",\",$(subst \,\\,$1))
ENTRY = {"directory": "$(CURDIR)", "file": "$(file)", \
	"command": "$(call json,$(COMPILE) -Itests/unit -c $(file))"}
compile_commands.json: $B/compile $(SOURCES)
	@printf '%s\n' $(foreach file,$(SOURCES) $(wildcard tests/*/*.c tests/*/*/*.c),$(call quoted,$(ENTRY))) | \
		sed -e '1s/^/[/' -e '$$s/$$/]/' -e '$$!s/$$/,/' >$@

clean:
	rm -rf $B $B-* compile_commands.json

help:
	@sed -n 's/^\#: *//p' $(filter-out %.d,$(MAKEFILE_LIST))

.PHONY: FORCE all clean help
.SECONDARY:
.DELETE_ON_ERROR:
-include $(wildcard $B/*.d $B/*/*.d $B/unit/*/*.d)
