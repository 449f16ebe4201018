# SPDX-License-Identifier: MIT
# The Makefile's part for tests: their programs, running them, and checks of the source.

#: make test             runs the unit tests and the quick tests of the command line: half a minute
#: make check            runs every test, and installs the packages for them: scripts/check
#: make lint             looks for errors in the source: scripts/deps lint installs the programs
#: make demo             kicks four instances of a stand-in for Postfix, and shows the results
#: make fuzz, differential, soak, bench, matrix, check-package, check-fleet: see tests/README.md

UNIT_TESTS := $(patsubst tests/unit/%.c,$B/unit/%,$(wildcard tests/unit/*/test_*.c))
TOOLS := $(patsubst tests/lib/%.c,$B/lib/%,$(wildcard tests/lib/*.c)) $B/lib/inject.so
FUZZERS := $(patsubst tests/fuzz/%.c,$B/fuzz/%,$(wildcard tests/fuzz/fuzz_*.c))
SOAKERS := $(patsubst tests/soak/%.c,$B/soak/%,$(wildcard tests/soak/*.c))
FLOORS := $(patsubst tests/bench/%.c,$B/bench/%,$(wildcard tests/bench/*.c))
AT_ONCE = 8 # most of them wait more than they compute
QUICK = $(patsubst %,tests/cli/%.bats,commands kick signals)

$B/unit/%: tests/unit/%.c $B/libpostkick.a $B/link
	@mkdir -p $(@D)
	$(LINK) -Itests/unit -MMD -MP -o $@ $< $B/libpostkick.a -lcmocka -ldl -pthread $(LIBS)

# Test programs stand alone: no module is tested with itself.
$(filter-out %.so,$(TOOLS)) $(FLOORS) $(SOAKERS): $B/%: tests/%.c $B/link | $B/lib $B/bench $B/soak
	$(LINK) -MMD -MP -o $@ $<

# It defines functions that the fortified headers define inline.
$B/lib/%.so: tests/preload/%.c $B/link | $B/lib
	$(COMPILE) -U_FORTIFY_SOURCE -fPIC -shared $(LDFLAGS) -o $@ $< -ldl

$B/fuzz/%: tests/fuzz/%.c $B-fuzz/libpostkick.a | $B/fuzz
	clang -std=c17 $(ALL_CPPFLAGS) $(FUZZ_CFLAGS) -fsanitize=fuzzer -MMD -MP -o $@ $< \
		$B-fuzz/libpostkick.a $(LIBS)

FUZZ_CFLAGS = -O2 -g -fsanitize=address,undefined -fno-sanitize-recover=all
$B-fuzz/libpostkick.a: $(SOURCES) $(HEADERS) conf/postkick.ini
	$(MAKE) -s B=$B-fuzz CC=clang CFLAGS='$(FUZZ_CFLAGS) -fsanitize=fuzzer-no-link' $@

$B/lib $B/fuzz $B/bench $B/soak:
	mkdir -p $@

tools: $(TOOLS)
floors: $(FLOORS)
unit: $(UNIT_TESTS)
fuzzers: $(FUZZERS)

# Several at once; failures are shown. Installs nothing, and needs no root; without QUICK, no bats.
test: all $(if $(QUICK),tools) unit
	@[ -z '$(QUICK)' ] || command -v bats >/dev/null || \
		{ echo 'make test needs bats: see scripts/deps list' >&2; exit 1; }
	@printf '%s\n' $(if $(QUICK),"bats $$(! command -v parallel >/dev/null || echo --jobs 8) $(QUICK)") \
		$(UNIT_TESTS) | \
		POSTKICK=$(abspath $B)/postkick TOOLS=$(abspath $B)/lib xargs -P $(AT_ONCE) -I {} \
		sh -c 'output=$$({} 2>&1) || { printf "%s\n" "$$output"; exit 1; }'
	@echo '$(words $(UNIT_TESTS)) programs of unit tests and $(words $(QUICK)) files of the command line passed'

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

# So many kicks through the whole program, every answer compared with the bytes read.
KICKS = 1000000
SEED = 1
soak: all $(SOAKERS)
	tests/soak/kicks --postkick $B/postkick --service $B/soak/service --kicks $(KICKS) --seed $(SEED)

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

SCRIPTS = $(filter-out %.bash-completion %.mk %/ansible %/apk %/debian %/rpm,$(wildcard scripts/*)) \
	$(addprefix scripts/debian/,preinst postinst prerm postrm) $(wildcard scripts/apk/*.*)
SHELL_TESTS = $(wildcard tests/*/*.bash) tests/fleet/host tests/fleet/scale tests/lib/valgrind-run \
	tests/lib/layers tests/lib/musl-libraries tests/lib/sources

# The life of the package on Debian releases of their own, and piuparts: six minutes, root, a mirror.
RELEASES = bookworm trixie
BUILDS_PACKAGES = build-essential debhelper libcmocka-dev libiniparser-dev libjansson-dev uthash-dev \
	lintian faketime
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

.PHONY: tools floors unit fuzzers test check matrix demo bench fuzz soak differential lint check-package \
	check-fleet
