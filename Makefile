# adit: build, install, demonstrate, test. `make help` lists the targets.
#
# Variables worth setting on the command line:
#   V=1             show the commands
#   CC=clang        another compiler
#   SAN=address     build with sanitizers (address = ASan+UBSan, thread) in a
#                   directory of their own
#   BORINGSSL=DIR   a BoringSSL with DIR/include/openssl and DIR/lib
#   PREFIX, DESTDIR where `make install` puts things
#   SOURCE_DATE_EPOCH  the time in packages; by default the last commit's

VERSION := $(shell sed -n 's/^.define ADIT_VERSION "\(.*\)"/\1/p' \
	common/base/version.h)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SYSCONFDIR ?= $(PREFIX)/etc
DOCDIR ?= $(PREFIX)/share/doc/adit
MANDIR ?= $(PREFIX)/share/man
BASH_DIR ?= $(PREFIX)/share/bash-completion/completions
ZSH_DIR ?= $(PREFIX)/share/zsh/site-functions
FISH_DIR ?= $(PREFIX)/share/fish/vendor_completions.d
UNIT_DIR ?= $(PREFIX)/lib/systemd/system
UNIT_FILES := aditd.service aditd.socket adit@.service
MAN_PAGES := man1/adit.1 man1/adit-load.1 man5/adit.yaml.5 man5/aditd.yaml.5 man8/aditd.8

ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
comma := ,
# address and undefined are one build: each finds what the other does not.
ifneq ($(filter address undefined,$(subst $(comma), ,$(SAN))),)
override SAN := address
endif
ifeq ($(SAN),)
B := build
else
B := build/$(SAN)
endif

ifeq ($(V),1)
Q :=
say = @:
else
Q := @
say = @printf '  %-5s %s\n'
endif

# --- flags -------------------------------------------------------------------

WARN := -Wall -Wextra -Werror -Wformat-security -Wshadow \
	-Wstrict-prototypes -Wmissing-prototypes
BASE := -std=gnu11 -D_GNU_SOURCE -I. -pthread -g $(WARN) -MMD -MP

# Where it is built makes no difference to what is built.
HARDEN := -O2 -ffile-prefix-map=$(CURDIR)=. -fPIE -fstack-protector-strong -fstack-clash-protection \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed

SAN_address := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
SAN_thread := -O1 -fno-omit-frame-pointer -fsanitize=thread

# Not a sanitizer, but a build of its own kind as well.
SAN_coverage := -O0 --coverage -fprofile-update=atomic

ifeq ($(SAN),)
MODE := $(HARDEN)
MODE_LD := $(HARDEN_LD)
else
MODE := $(SAN_$(SAN))
MODE_LD := $(SAN_$(SAN))
ifeq ($(MODE),)
$(error SAN=$(SAN): there are address, thread and coverage)
endif
endif

# Debian keeps BoringSSL beside OpenSSL, in a subdirectory of its own.
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
ifneq ($(BORINGSSL),)
SSL_INC := $(BORINGSSL)/include
SSL_LIB := $(BORINGSSL)/lib
else
SSL_INC := /usr/include/android
SSL_LIB := /usr/lib/$(or $(MULTIARCH),$(shell uname -m)-linux-gnu)/android
endif
SSL_PATH := $(SSL_LIB)
SSL_LD = -L$(SSL_LIB) -Wl,-rpath,$(SSL_PATH) -lssl -lcrypto

CFLAGS_ALL := $(BASE) $(MODE) -isystem $(SSL_INC) $(CPPFLAGS) $(CFLAGS)
LIBS = $(SSL_LD) -luring -lcares -lyaml -ljansson -lsnappy -lqrencode -lseccomp

# --- programs ----------------------------------------------------------------

COMMON := $(wildcard common/*/*.c)
SERVER := $(wildcard server/*.c server/*/*.c)
CLIENT := $(wildcard client/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: all
all: $(B)/aditd $(B)/adit $(B)/adit-load ## build the programs
	@:

$(B)/common.a: $(call obj,$(COMMON))
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

PROGRAMS := aditd adit adit-load
OBJECTS_aditd := $(call obj,$(SERVER))
OBJECTS_adit := $(call obj,$(CLIENT))
OBJECTS_adit-load := $(B)/obj/bench/load.o $(B)/obj/bench/command.o

# As they are packaged, they look elsewhere for BoringSSL: in a folder of their
# own, or beside them with all else that a bare system does not have.
$(B)/deb/%: SSL_PATH := /usr/lib/adit
$(B)/tarball/%: SSL_PATH := '$$ORIGIN/../lib'
$(B)/tarball/%: LIBS += -Wl,--no-as-needed -lstdc++ -lgcc_s

LINKED := $(foreach d,$(B) $(B)/deb $(B)/tarball,$(addprefix $(d)/,$(PROGRAMS)))
$(foreach p,$(PROGRAMS),\
	$(eval $(filter %/$(p),$(LINKED)): $(OBJECTS_$(p)) $(B)/common.a))
$(B)/adit-micro: $(B)/obj/bench/micro.o $(B)/common.a
$(B)/adit-forge: $(B)/obj/tests/peer/forge.o $(B)/common.a
$(B)/adit-timing: $(B)/obj/tests/timing/login.o $(call obj,server/users/admission.c \
	server/users/users.c server/users/user_load.c server/users/settings_users.c) $(B)/common.a
$(B)/adit-timing: LIBS += -lm
$(LINKED) $(B)/adit-micro $(B)/adit-forge $(B)/adit-timing:
	$(say) LD $@
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) $(MODE_LD) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

# --- unit tests --------------------------------------------------------------
# Each links its noun and what it declares: `// links:` and `// libs:` lines;
# and what makes assertions in a teardown count.

ifeq ($(SAN),coverage)
U := build/coverage/unit
UNIT_MODE := $(SAN_coverage)
else
U := build/unit
UNIT_MODE := $(SAN_address)
endif
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_FLAGS := $(BASE) $(UNIT_MODE) -isystem $(SSL_INC) $(CPPFLAGS)
declared = $(shell sed -n 's|^// $(1): *||p' tests/unit/$(2).c)
unit_objects = $(patsubst %.c,$(U)/obj/%.o,tests/unit/$(1).c \
	tests/unit/teardown.c $(call declared,links,$(1)))
unit_libs = $(subst boringssl,$(SSL_LD),$(call declared,libs,$(1)))

$(U)/obj/%.o: %.c Makefile
	$(say) CC "$< (unit)"
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(UNIT_FLAGS) -c -o $@ $<

define unit_rule
$(U)/$(1): $(call unit_objects,$(1))
	$$(say) LD $$@
	$$(Q)$$(CC) $$(UNIT_FLAGS) -o $$@ $$^ -lcriterion $(call unit_libs,$(1))
endef
# Only where units are asked for: reading their lines takes a while.
ifneq ($(filter check unit unit-build check-build docs $(U)/%,$(MAKECMDGOALS)),)
$(foreach t,$(UNITS),$(eval $(call unit_rule,$(t))))
endif

.PHONY: unit-build unit docs flow check check-apps check-all soak upgrades
unit-build: $(addprefix $(U)/,$(UNITS))

unit: unit-build ## run the unit tests
	$(Q)tests/run --unit

docs: unit-build ## write the samples and manual pages that are stale
	$(Q)for t in settings_client settings_server client_command \
			server_command load_command syscalls; do \
		UPDATE=1 $(U)/test_$$t --filter '*/*_is_current' || exit 1; \
	done

flow: all $(B)/adit-micro $(B)/adit-forge build/counting.so ## run the flow tests, with real parts
	$(Q)BUILD=$(B) tests/run --flow

# Not part of the check: a machine where something else runs has no steady time.
.PHONY: timing
timing: $(B)/adit-timing ## whether a refused login's time tells who there is
	$(Q)$(B)/adit-timing

# Programs with planted bugs, which the sanitizer jobs must find; the compiler
# is not to say a word.
P := build/planted
PLANTED := $(patsubst tests/planted/%.c,$(P)/%,$(wildcard tests/planted/*.c))

$(P)/unit_%: tests/planted/unit_%.c tests/unit/teardown.c Makefile
	$(say) CC "$< (planted)"
	$(Q)mkdir -p $(P) && $(CC) $(UNIT_FLAGS) -w -Wno-error -MF $@.d -o $@ $(filter %.c,$^) -lcriterion
$(P)/race: tests/planted/race.c Makefile
	$(say) CC "$< (planted)"
	$(Q)mkdir -p $(P) && $(CC) $(BASE) $(SAN_thread) -MF $@.d -o $@ $<
$(P)/%: tests/planted/%.c Makefile
	$(say) CC "$< (planted)"
	$(Q)mkdir -p $(P) && $(CC) $(BASE) $(SAN_address) -MF $@.d -o $@ $<

# Counts the allocations of a program of the plain build, for a test.
build/counting.so: tests/double/counting.c Makefile
	$(say) LD $@
	$(Q)$(CC) $(filter-out -MMD -MP,$(BASE)) -O2 -fPIC -shared -o $@ $<

.PHONY: check-build
check-build: all $(B)/adit-micro $(B)/adit-forge build/counting.so unit-build replay-build $(PLANTED)

check: deps-check deps-apps ## install what is missing, build, run the tests
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) check-build
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) SAN=address all
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) SAN=thread all
	$(Q)$(MAKE) --no-print-directory tidy
	@echo "There is more: make check-all (longer), make fuzz, make bench"
	$(Q)tests/run

check-apps: deps-demo deps-apps ## real programs that need npm or a browser
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) tests/run --apps

check-all: ## make check, with a longer soak, more seeds, and rates
	$(Q)SOAK_SECONDS=600 KILL_ROUNDS=100 PUMP_SEEDS=10000 SLOW_ROUNDS=16 \
		$(MAKE) --no-print-directory check

soak: all ## 30 minutes of mixed traffic, bodies of 10 GiB
	$(Q)SOAK_SECONDS=1800 SOAK_BODY=10737418240 BUILD=$(B) \
		tests/run --flow f01

upgrades: all ## aditd upgrade, 60 times in a row under load
	$(Q)UPGRADE_ROUNDS=60 BUILD=$(B) tests/run --flow m06

# --- fuzzing -----------------------------------------------------------------
# Each target is linked with all rooms and both tables of settings. `make check`
# replays the corpora with any compiler; `make fuzz` needs clang.

FUZZ_SECONDS ?= 600
FUZZ := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz_more = $(if $(filter aditd_yaml,$(1)),server/settings.c \
		server/settings_check.c server/users/settings_users.c) \
	$(if $(filter adit_yaml,$(1)),client/settings.c client/settings_check.c \
		client/settings_proxy.c client/include.c client/gateway.c) \
	$(if $(filter mux,$(1)),tests/double/script.c)
fuzz_sources = tests/fuzz/fuzz_$(1).c $(COMMON) $(call fuzz_more,$(1))

.PHONY: replay-build deps-fuzz fuzz
R := build/replay
replay-build: $(addprefix $(R)/,$(FUZZ)) build/corpus

# The messages of tests/corpus, as the targets read them.
build/corpus: $(wildcard tests/corpus/*/*.case) tests/flow/corpus.py
	$(say) GEN $@
	$(Q)rm -rf $@ && mkdir -p $@
	$(Q)for kind in head target framing chunked response; do \
		python3 tests/flow/corpus.py $$kind $@/$$kind || exit 1; \
	done

CLANG = $(shell command -v clang || command -v clang-14)
define fuzz_rules
$(R)/$(1): $(patsubst %.c,$(U)/obj/%.o,tests/fuzz/replay.c \
		$(call fuzz_sources,$(1)))
	$$(say) LD $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CC) $$(UNIT_FLAGS) -o $$@ $$^ $$(LIBS)

build/fuzz/$(1): $(call fuzz_sources,$(1))
	$$(say) FUZZ $$@
	$$(Q)mkdir -p $$(@D)
	$$(Q)$$(CLANG) $$(filter-out -MMD -MP,$$(BASE)) -O1 \
		-fsanitize=fuzzer,address,undefined \
		-fno-sanitize-recover=undefined -isystem $$(SSL_INC) \
		-o $$@ $$^ $$(LIBS)
endef
$(foreach t,$(FUZZ),$(eval $(call fuzz_rules,$(t))))

deps-fuzz:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build fuzz

fuzz: deps-fuzz ## fuzz each target for FUZZ_SECONDS (with clang)
	$(Q)$(MAKE) --no-print-directory $(addprefix build/fuzz/,$(FUZZ)) \
		build/corpus
	$(Q)for t in $(FUZZ); do \
		mkdir -p build/fuzz/found/$$t; \
		ASAN_OPTIONS=detect_leaks=1 build/fuzz/$$t \
			-max_total_time=$(FUZZ_SECONDS) -timeout=10 \
			-max_len=16384 -artifact_prefix=build/fuzz/$$t- \
			-print_final_stats=1 $$(case $$t in *yaml) echo \
			-dict=tests/fuzz/yaml.dict;; esac) build/fuzz/found/$$t \
			tests/fuzz/corpus/$$t \
			$$(ls -d build/corpus/$$t 2>/dev/null) || exit 1; \
	done

# --- coverage ----------------------------------------------------------------

.PHONY: coverage
coverage: deps-check ## which lines the tests reach (COVERAGE=FILE: the others)
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) SAN=coverage \
		all unit-build
	$(Q)find build/coverage -name '*.gcda' -delete
	$(Q)UNIT=build/coverage/unit tests/run --unit
	$(Q)BUILD=build/coverage tests/run --flow a0 c0 d0
	$(Q)tests/coverage $(COVERAGE)

# --- the comparison with peers ------------------------------------------------

.PHONY: deps-bench bench bench-quick bench-micro
deps-bench:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build demo bench

# BENCH: its options, as "--rounds 3 --load 64".
bench: deps-bench ## compare with HAProxy, nginx and the peers on PATH
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all $(B)/adit-micro
	$(Q)ADITD=$(B)/aditd ADIT=$(B)/adit python3 bench/compare.py $(BENCH)

bench-quick: deps-bench ## the same with few cases, in under two minutes
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all $(B)/adit-micro
	$(Q)ADITD=$(B)/aditd ADIT=$(B)/adit python3 bench/compare.py --quick \
		$(BENCH)

bench-micro: $(B)/adit-micro ## what single parts cost, in ns
	$(Q)$(B)/adit-micro

# --- set-up, demonstration ---------------------------------------------------

.PHONY: deps deps-demo deps-check deps-apps demo
deps: ## install the Debian packages that a build needs
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build

deps-demo:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build demo

deps-check:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build demo check bench

# What cannot be had is skipped, visibly.
deps-apps:
	$(Q)tests/deps.sh apps || echo "without them tests/apps is skipped"

demo: deps-demo ## install what is missing, build, fetch a page by tunnel
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) config/demo/run.sh

# Out of what is built here, pulling nothing; config/Dockerfile builds it, too.
# ENGINE: podman, buildah or docker, perhaps with options; the first that is
# there otherwise.
IMAGE ?= adit
.PHONY: image
image: all ## an image of both programs, by podman, buildah or docker
	$(Q)config/image/build.sh $(B) build/image $(IMAGE)

# --- packages ----------------------------------------------------------------
# The same bytes wherever and whenever they are made, by the same tools.

ARCH := $(or $(firstword $(subst -, ,$(MULTIARCH))),$(shell uname -m))
TIME_OF_SOURCE = $(or $(SOURCE_DATE_EPOCH),$(shell \
	git log -1 --format=%ct 2>/dev/null || stat -c %Y CHANGELOG.md))
PACKAGING = B=$(B) CC=$(CC) SSL_LIB=$(SSL_LIB) VERSION=$(VERSION) \
	ARCH=$(ARCH) MULTIARCH=$(MULTIARCH) SOURCE_DATE_EPOCH=$(TIME_OF_SOURCE)

.PHONY: tarball deb check-package
tarball: all $(addprefix $(B)/tarball/,$(PROGRAMS)) ## a release that runs from any folder, in build/
	$(Q)+$(PACKAGING) config/tarball.sh

deb: all $(addprefix $(B)/deb/,$(PROGRAMS)) ## a Debian package, in build/
	$(Q)+$(PACKAGING) config/debian/build.sh

check-package: deps-demo ## both of them, installed in bare Debians
	$(Q)tests/deps.sh package
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) tests/run --flow n01

# --- other systems ------------------------------------------------------------
# In roots of Debian below build/system, which are kept; as root. ON: what of
# the tests, where not what their scripts in tests/system say.

.PHONY: check-kernel check-systemd check-debian check-arm64
check-kernel: ## flow tests on Debian 12's kernel, in an emulator
	$(Q)tests/deps.sh root kernel
	$(Q)tests/system/kernel.sh $(ON)

check-systemd: ## our package and its units on Debian 12, in an emulator
	$(Q)tests/deps.sh root kernel
	$(Q)tests/system/systemd.sh $(ON)

check-debian: ## all of make check in a root of Debian 13; clang's build, too
	$(Q)tests/deps.sh root
	$(Q)tests/system/debian.sh $(ON)

check-arm64: ## cross-build for arm64, test by qemu-user
	$(Q)tests/deps.sh root
	$(Q)tests/system/arm64.sh $(ON)

# --- house keeping -----------------------------------------------------------

.PHONY: install uninstall format tidy clean help
BIN ?= $(B)
install: all ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR)
	install -d $(DESTDIR)$(SYSCONFDIR)/adit
	install -m 755 $(addprefix $(BIN)/,$(PROGRAMS)) $(DESTDIR)$(BINDIR)
	install -m 644 README.md README.zh-CN.md ARCHITECTURE.md \
		SECURITY.md CHANGELOG.md LICENSE \
		$(DESTDIR)$(DOCDIR)
	install -D -m 644 config/fail2ban/filter.d/aditd.conf \
		$(DESTDIR)$(DOCDIR)/fail2ban/filter.d/aditd.conf
	for m in $(MAN_PAGES); do \
		install -D -m 644 config/man/$${m#*/} $(DESTDIR)$(MANDIR)/$$m; \
	done
	install -d $(DESTDIR)$(UNIT_DIR)
	for u in $(UNIT_FILES); do \
		sed -e 's|@BINDIR@|$(BINDIR)|' \
			-e 's|@SYSCONFDIR@|$(SYSCONFDIR)|' config/$$u \
			>$(DESTDIR)$(UNIT_DIR)/$$u || exit 1; \
		chmod 644 $(DESTDIR)$(UNIT_DIR)/$$u; \
	done
	for f in aditd adit; do \
		install -m 644 config/$$f.yaml \
			$(DESTDIR)$(SYSCONFDIR)/adit/$$f.yaml.sample; \
		install -D -m 644 config/completion/$$f.bash \
			$(DESTDIR)$(BASH_DIR)/$$f; \
		install -D -m 644 config/completion/$$f.zsh \
			$(DESTDIR)$(ZSH_DIR)/_$$f; \
		install -D -m 644 config/completion/$$f.fish \
			$(DESTDIR)$(FISH_DIR)/$$f.fish; \
	done

uninstall: ## remove what install put there
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,aditd adit adit-load)
	rm -f $(DESTDIR)$(SYSCONFDIR)/adit/aditd.yaml.sample
	rm -f $(DESTDIR)$(SYSCONFDIR)/adit/adit.yaml.sample
	rm -f $(addprefix $(DESTDIR)$(MANDIR)/,$(MAN_PAGES))
	rm -f $(addprefix $(DESTDIR)$(UNIT_DIR)/,$(UNIT_FILES))
	for f in aditd adit; do \
		rm -f $(DESTDIR)$(BASH_DIR)/$$f $(DESTDIR)$(ZSH_DIR)/_$$f \
			$(DESTDIR)$(FISH_DIR)/$$f.fish; \
	done
	-rmdir $(DESTDIR)$(SYSCONFDIR)/adit 2>/dev/null
	rm -rf $(DESTDIR)$(DOCDIR)

SOURCES := $(wildcard common/*/*.[ch] server/*.[ch] server/*/*.[ch] \
	client/*.[ch] \
	bench/*.[ch] \
	tests/unit/*.[ch] tests/double/*.[ch] tests/fuzz/*.[ch] \
	tests/peer/*.[ch] tests/timing/*.[ch])

format: ## format the C files (needs clang-format 14)
	$(Q)clang-format-14 -i $(SOURCES)

tidy: ## check the rules of the house
	$(Q)tests/tidy

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | \
		expand -t 24

-include $(shell find build -path build/system -prune -o -type f -name '*.d' \
	-print 2>/dev/null)
