# adit: build, install, demonstrate, test. `make help` lists the targets.
#
# Variables worth setting on the command line:
#   V=1             show the commands
#   CC=clang        another compiler
#   SAN=address     build with sanitizers (address = ASan+UBSan, thread) in a
#                   directory of their own
#   BORINGSSL=DIR   a BoringSSL with DIR/include/openssl and DIR/lib
#   PREFIX, DESTDIR where `make install` puts things

VERSION := $(shell sed -n 's/^.define ADIT_VERSION "\(.*\)"/\1/p' \
	common/base/version.h)

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
SYSCONFDIR ?= $(PREFIX)/etc
DOCDIR ?= $(PREFIX)/share/doc/adit

ifeq ($(origin CC),default)
CC := gcc
endif
SAN ?=
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

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes \
	-Wmissing-prototypes
BASE := -std=gnu11 -D_GNU_SOURCE -I. -pthread -g $(WARN) -MMD -MP

HARDEN := -O2 -fPIE -fstack-protector-strong -fstack-clash-protection \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDEN_LD := -pie -Wl,-z,relro,-z,now -Wl,-z,noexecstack -Wl,--as-needed

SAN_address := -O1 -fno-omit-frame-pointer -fsanitize=address,undefined \
	-fno-sanitize-recover=undefined
SAN_thread := -O1 -fno-omit-frame-pointer -fsanitize=thread

ifeq ($(SAN),)
MODE := $(HARDEN)
MODE_LD := $(HARDEN_LD)
else
MODE := $(SAN_$(SAN))
MODE_LD := $(SAN_$(SAN))
ifeq ($(MODE),)
$(error SAN=$(SAN): there are address and thread)
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
SSL_LD := -L$(SSL_LIB) -Wl,-rpath,$(SSL_LIB) -lcrypto

CFLAGS_ALL := $(BASE) $(MODE) -isystem $(SSL_INC) $(CPPFLAGS) $(CFLAGS)
LIBS := $(SSL_LD) -luring -lyaml -ljansson

# --- programs ----------------------------------------------------------------

COMMON := $(wildcard common/*/*.c)
SERVER := $(wildcard server/*.c)
CLIENT := $(wildcard client/*.c)
obj = $(patsubst %.c,$(B)/obj/%.o,$(1))

.PHONY: all
all: $(B)/aditd $(B)/adit ## build both programs
	@:

$(B)/common.a: $(call obj,$(COMMON))
	$(say) AR $@
	$(Q)rm -f $@ && ar rcs $@ $^

$(B)/aditd: $(call obj,$(SERVER)) $(B)/common.a
$(B)/adit: $(call obj,$(CLIENT)) $(B)/common.a
$(B)/aditd $(B)/adit:
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS_ALL) $(MODE_LD) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/obj/%.o: %.c Makefile
	$(say) CC $<
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS_ALL) -c -o $@ $<

# --- unit tests --------------------------------------------------------------
# Each links its noun and what it declares: `// links:` and `// libs:` lines.

U := build/unit
UNITS := $(patsubst tests/unit/%.c,%,$(wildcard tests/unit/test_*.c))
UNIT_FLAGS := $(BASE) $(SAN_address) -isystem $(SSL_INC) $(CPPFLAGS)
declared = $(shell sed -n 's|^// $(1): *||p' tests/unit/$(2).c)
unit_objects = $(patsubst %.c,$(U)/obj/%.o,tests/unit/$(1).c \
	$(call declared,links,$(1)))
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
ifneq ($(filter check unit unit-build,$(MAKECMDGOALS)),)
$(foreach t,$(UNITS),$(eval $(call unit_rule,$(t))))
endif

.PHONY: unit-build unit flow check
unit-build: $(addprefix $(U)/,$(UNITS))

unit: unit-build ## run the unit tests
	$(Q)tests/run --unit

flow: all ## run the flow tests, with real parts
	$(Q)BUILD=$(B) tests/run --flow

check: deps-check ## install what is missing, build, run every test
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all unit-build
	$(Q)$(MAKE) --no-print-directory tidy
	$(Q)tests/run

# --- set-up, demonstration ---------------------------------------------------

.PHONY: deps deps-demo deps-check demo
deps: ## install the Debian packages that a build needs
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build

deps-demo:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build demo

deps-check:
	$(Q)CC=$(CC) SSL_INC=$(SSL_INC) tests/deps.sh build demo check

demo: deps-demo ## install what is missing, build, fetch a page by tunnel
	$(Q)$(MAKE) --no-print-directory -j$(shell nproc) all
	$(Q)BUILD=$(B) config/demo/run.sh

# --- house keeping -----------------------------------------------------------

.PHONY: install uninstall format tidy clean help
install: all ## install under $(DESTDIR)$(PREFIX)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(DOCDIR)
	install -d $(DESTDIR)$(SYSCONFDIR)/adit
	install -m 755 $(B)/aditd $(B)/adit $(DESTDIR)$(BINDIR)
	install -m 644 README.md ARCHITECTURE.md CHANGELOG.md LICENSE \
		$(DESTDIR)$(DOCDIR)
	for f in aditd adit; do \
		install -m 644 config/$$f.yaml \
			$(DESTDIR)$(SYSCONFDIR)/adit/$$f.yaml.sample; \
	done

uninstall: ## remove what install put there
	rm -f $(DESTDIR)$(BINDIR)/aditd $(DESTDIR)$(BINDIR)/adit
	rm -f $(DESTDIR)$(SYSCONFDIR)/adit/aditd.yaml.sample
	rm -f $(DESTDIR)$(SYSCONFDIR)/adit/adit.yaml.sample
	-rmdir $(DESTDIR)$(SYSCONFDIR)/adit 2>/dev/null
	rm -rf $(DESTDIR)$(DOCDIR)

SOURCES := $(wildcard common/*/*.[ch] server/*.[ch] client/*.[ch] \
	tests/unit/*.[ch] tests/double/*.[ch])

format: ## format the C files (needs clang-format 14)
	$(Q)clang-format-14 -i $(SOURCES)

tidy: ## check the rules of the house
	$(Q)tests/tidy

clean: ## remove build/
	rm -rf build

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | \
		expand -t 24

-include $(shell find build -name '*.d' 2>/dev/null)
