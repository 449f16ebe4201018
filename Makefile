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
ALL_CPPFLAGS = -D_GNU_SOURCE -DPOSTKICK_VERSION='"$(VERSION)"' \
	-DPOSTKICK_SETTINGS='"$(SYSCONFDIR)/postkick.ini"' $(CPPFLAGS)
ALL_CFLAGS = -std=c17 $(WARNINGS) $(HARDENING) $(CFLAGS)
ALL_LDFLAGS = -pie -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)
LIBS = -liniparser -ljansson

SOURCES := $(wildcard src/*.c)
OBJECTS := $(SOURCES:src/%.c=$B/%.o)
LIBRARY := $(filter-out $B/main.o,$(OBJECTS))
UNIT_TESTS := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/test_*.c))
TOOLS := $(patsubst tests/lib/%.c,$B/lib/%,$(wildcard tests/lib/*.c))
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
FLOORS := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/*.c))

all: $B/postkick

$B/postkick: $(OBJECTS)
	$(CC) $(ALL_CFLAGS) $(ALL_LDFLAGS) -o $@ $(OBJECTS) $(LIBS)

$B/%.o: src/%.c | $B
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The built-in settings are the shipped ones, as a C string.
$B/postkick_ini.inc: conf/postkick.ini | $B
	sed -e '/^;/d' -e '/^$$/d' -e 's/[\\"]/\\&/g' -e 's/.*/"&\\n"/' $< >$@

$B/settings.o: $B/postkick_ini.inc
$B/settings.o: ALL_CPPFLAGS += -I$B

$B/libpostkick.a: $(LIBRARY)
	rm -f $@
	$(AR) rcs $@ $(LIBRARY)

$B/unit/%: tests/unit/%.c $B/libpostkick.a | $B
	$(CC) $(ALL_CPPFLAGS) -Isrc $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $< $B/libpostkick.a \
		-lcmocka $(LIBS)

# Test programs stand alone: none of our own modules is judged by itself.
$B/lib/%: tests/lib/%.c | $B
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $<

$B/bench/%: tests/bench/%.c | $B
	$(CC) $(ALL_CPPFLAGS) $(ALL_CFLAGS) $(ALL_LDFLAGS) -MMD -MP -o $@ $<

$B/fuzz/%: tests/fuzz/%.c $(SOURCES) $B/postkick_ini.inc | $B
	clang -std=c17 -g -O1 $(ALL_CPPFLAGS) -Isrc -I$B -fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=all -o $@ $< $(filter-out src/main.c,$(SOURCES)) $(LIBS)

$B:
	mkdir -p $B $B/unit $B/lib $B/fuzz $B/bench

tools: $(TOOLS)
floors: $(FLOORS)
unit: $(UNIT_TESTS)
fuzzers: $(FUZZERS)

clean:
	rm -rf $B

.PHONY: all tools floors unit fuzzers clean
.SECONDARY:
-include $(wildcard $B/*.d $B/unit/*.d $B/lib/*.d $B/bench/*.d)
