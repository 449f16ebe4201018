# SPDX-License-Identifier: MIT
# postkick: see README.md. User-settable: CC CFLAGS CPPFLAGS LDFLAGS PREFIX SYSCONFDIR DESTDIR.

CC = gcc
CFLAGS = -O2 -g
PREFIX = /usr/local
SYSCONFDIR = /etc
SBINDIR = $(PREFIX)/sbin
MANDIR = $(PREFIX)/share/man
B = build

VERSION := $(shell sed -n 's/^\#\# \[\([0-9.]*\)\].*/\1/p' CHANGELOG.md | head -n 1)

WARNINGS = -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wformat=2 -Wvla
HARDENING = -D_FORTIFY_SOURCE=2 -fstack-protector-strong -fPIE
ALL_CPPFLAGS = -D_GNU_SOURCE -Isrc -I$B -DPOSTKICK_VERSION='"$(VERSION)"' \
	-DPOSTKICK_SETTINGS='"$(SYSCONFDIR)/postkick.ini"' $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENING) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS = -liniparser -ljansson

SOURCES := $(wildcard src/*.c src/*/*.c)
HEADERS := $(wildcard src/*.h src/*/*.h)
OBJECTS := $(SOURCES:src/%.c=$B/%.o)
LIBRARY := $(filter-out $B/main.o,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/*/test_*.c))
TOOLS := $(patsubst tests/lib/%.c,$B/lib/%,$(wildcard tests/lib/*.c)) $B/lib/inject.so
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SOAKERS := $(patsubst tests/soak/%.c,$B/soak/%,$(wildcard tests/soak/*.c))
FLOORS := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/*.c))

all: $B/postkick

$B/postkick: $(OBJECTS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

# Made anew when it would be another: all that is compiled depends on it.
$B/flags: FORCE | $B
	@printf '%s\n' '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' | cmp -s - $@ || \
		printf '%s\n' '$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS)' >$@
FORCE:

$B/%.o: src/%.c $B/flags | $B
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The built-in settings are the shipped ones, as rows of a C table: {"section", "key", "value"},
$B/built_in.inc: conf/postkick.ini | $B
	sed -n -e 's/[\\"]/\\&/g' -e '/^\[\(.*\)\]$$/{s//\1/;h;}' -e '/^;/d' \
		-e '/ *=/{G;s/^\([a-z_]*\) *= *\(.*\)\n\(.*\)/    {"\3", "\1", "\2"},/p;}' $< >$@

$B/postfix/settings.o: $B/built_in.inc

$B/libpostkick.a: $(LIBRARY)
	rm -f $@
	$(AR) rcs $@ $(LIBRARY)

$B/unit/%: tests/unit/%.c $B/libpostkick.a
	@mkdir -p $(@D)
	$(CC) $(ALL_CPPFLAGS) -Itests/unit $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $B/libpostkick.a \
		-lcmocka $(LIBS)

# Test programs stand alone: no module is tested with itself.
$B/lib/%: tests/lib/%.c | $B/lib
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $<

# It defines functions that the fortified headers define inline.
$B/lib/%.so: tests/preload/%.c | $B/lib
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -U_FORTIFY_SOURCE -fPIC -shared $(LDFLAGS) -o $@ $<

$B/bench/%: tests/bench/%.c | $B/bench
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $<

$B/soak/%: tests/soak/%.c $B/libpostkick.a | $B/soak
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $B/libpostkick.a $(LIBS)

$B/fuzz/%: tests/fuzz/%.c $B-fuzz/libpostkick.a | $B/fuzz
	clang -std=c17 $(ALL_CPPFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< \
		$B-fuzz/libpostkick.a $(LIBS)

FUZZ_CFLAGS = -O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all
$B-fuzz/libpostkick.a: $(SOURCES) $(HEADERS) conf/postkick.ini
	$(MAKE) -s B=$B-fuzz CC=clang CFLAGS='$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link' $@

$B:
	mkdir -p $@

$B/lib $B/fuzz $B/bench $B/soak:
	mkdir -p $@

tools: $(TOOLS)
floors: $(FLOORS)
unit: $(UNIT_TESTS)
fuzzers: $(FUZZERS)

check:
	scripts/check

# The check on each Debian release.
matrix:
	scripts/matrix

demo:
	B=$B scripts/demo

bench:
	scripts/deps bench
	$(MAKE) -s all tools floors
	tests/bench/run $(BENCH)

# Each fuzzer for so many seconds, from its seeds; what it finds stays in $B/fuzz. What was freed is
# kept for a while only, and with short stacks: faster by half.
SECONDS = 60
fuzz: fuzzers
	set -e; export ASAN_OPTIONS=quarantine_size_mb=4:malloc_context_size=2; \
	for fuzzer in $(FUZZERS); do \
		name=$${fuzzer##*/fuzz_}; mkdir -p $$fuzzer.found; \
		$$fuzzer -max_total_time=$(SECONDS) -max_len=512 -timeout=10 -rss_limit_mb=2048 \
			-verbosity=0 -print_final_stats=1 -artifact_prefix=$$fuzzer.found/ $$fuzzer.found \
			tests/fuzz/corpus/$$name; done

# So many kicks through the whole program, every answer compared with what was read, and as many to
# a service that reads and stays.
KICKS = 1000000
SEED = 1
soak: all $(SOAKERS)
	tests/soak/kicks --postkick $B/postkick --service $B/soak/service --kicks $(KICKS) --seed $(SEED)
	$B/soak/wakeup $(KICKS)

# N files that Postfix and postkick have to read alike.
N = 10000
differential: all
	tests/postfix/differential.py --postkick $B/postkick --count $(N)

lint:
	tests/lib/layers
	tests/lib/sources
	clang-format --dry-run -Werror $(SOURCES) $(HEADERS) $(wildcard tests/*/*.[ch] tests/*/*/*.[ch])
	$(MAKE) -s -j 2 B=$B-lint-gcc CC=gcc CFLAGS='-O2 -fanalyzer -Werror' all
	$(MAKE) -s -j 2 B=$B-lint-gcc CC=gcc CFLAGS='-O2 -Werror' all tools floors unit
	$(MAKE) -s -j 2 B=$B-lint-clang CC=clang CFLAGS='-O2 -Werror' all tools floors unit
	clang-tidy --quiet $(SOURCES) -- -std=c17 $(ALL_CPPFLAGS) -I$B-lint-gcc 2>/dev/null
	cppcheck --quiet --std=c11 --enable=warning,performance,portability --inline-suppr \
		--suppress=missingIncludeSystem --error-exitcode=1 -D_GNU_SOURCE -Isrc -I$B-lint-gcc src
	shellcheck .ci/run $(SCRIPTS) $(SHELL_TESTS) scripts/postkick.bash-completion
	mandoc -Tlint -W warning $(wildcard man/*.[1-8])

SCRIPTS = $(filter-out %.bash-completion %/ansible %/debian,$(wildcard scripts/*)) \
	$(addprefix scripts/debian/,preinst prerm postrm)
SHELL_TESTS = $(wildcard tests/*/*.bash) tests/fleet/host tests/fleet/scale tests/lib/valgrind-run \
	tests/lib/layers tests/lib/sources tests/bench/run

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

# The Debian package and, to be built with ansible-galaxy(1), the collection; both in $B.
deb:
	scripts/deps deb
	scripts/build-package $B/deb

# The life of the package on Debian releases of their own, and piuparts: six minutes, root, a mirror.
RELEASES = bookworm trixie
BUILDS_PACKAGES = build-essential debhelper libiniparser-dev libjansson-dev uthash-dev lintian faketime
USES_PACKAGES = postfix jq procps systemd
comma = ,
empty =
$B/package/%.tar:
	scripts/deps package
	mkdir -p $(@D)
	mmdebstrap --quiet --variant=minbase \
		--include=$(subst $(empty) $(empty),$(comma),$(BUILDS_PACKAGES) $(USES_PACKAGES)) $* $@

$B/package/%.tar.gz:
	scripts/deps package
	mkdir -p $(@D)
	mmdebstrap --quiet --variant=minbase $* $@

check-package: $(RELEASES:%=$B/package/%.tar) $(RELEASES:%=$B/package/%.tar.gz)
	set -e; for release in $(RELEASES); do BASE=$(abspath $B)/package/$$release.tar \
		BARE=$(abspath $B)/package/$$release.tar.gz bats tests/package; done

# The collection and clush against three hosts made here: root, some minutes.
check-fleet: all
	scripts/deps fleet
	bats tests/fleet

collection:
	ansible-galaxy collection build --force --output-path $B scripts/ansible

clean:
	rm -rf $B $B-*

.PHONY: FORCE all tools floors unit fuzzers check matrix demo bench fuzz soak differential lint install \
	uninstall clean install-host deb check-package check-fleet collection
.SECONDARY:
-include $(wildcard $B/*.d $B/*/*.d $B/unit/*/*.d)
