# SPDX-License-Identifier: MIT
# Build products go to build/; only ./avml stands at the top.

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
DATADIR ?= $(PREFIX)/share
MANDIR ?= $(DATADIR)/man
BASHCOMPDIR ?= $(DATADIR)/bash-completion/completions
ZSHCOMPDIR ?= $(DATADIR)/zsh/site-functions
FISHCOMPDIR ?= $(DATADIR)/fish/vendor_completions.d

CC ?= cc
AR ?= ar
NM ?= nm
PKG_CONFIG ?= pkg-config
BUILD ?= build
# What static builds are linked with, see contrib/static.
KITS ?= $(CURDIR)/build/kits
# The processor; builders of kernels have this in their environment.
ifneq ($(filter command%,$(origin ARCH)),command)
ARCH := $(shell uname -m)
endif

# Where this is git's own tree, the commit it is at, and its time; git archive
# writes both into a tarball's .commit. Where git does not tell (another user's
# tree), that is said.
IN_GIT := $(shell test "`git rev-parse --show-toplevel 2>&1`" = "$(CURDIR)" && \
	echo yes)
ifneq ($(filter command%,$(origin COMMIT)),command)
COMMIT := $(if $(IN_GIT),$(shell git describe --always --dirty \
	--abbrev=12 --exclude='*'),$(if $(wildcard .git),unknown,$(shell sed \
	-nE 's/^([0-9a-f]{12})[0-9a-f]{28} [0-9]+$$/\1/p' .commit)))
endif
COMMIT_TIME = $(if $(IN_GIT),$(shell git log -1 --format=%ct),$(shell sed \
	-nE 's/^[0-9a-f]{40} ([0-9]+)$$/\1/p' .commit))

# What gcc and clang both know.
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wmissing-declarations -Wold-style-definition \
	-Wnested-externs -Wpointer-arith -Wcast-qual -Wcast-align \
	-Wbad-function-cast -Wwrite-strings -Wdouble-promotion \
	-Wimplicit-fallthrough -Wnull-dereference -Wvla -Walloca -Wundef \
	-Wunused-macros -Wdate-time -Wformat=2

# What one of them has beyond it, for tests/lint.sh: LINTER=gcc, LINTER=clang.
# Of the leaks that the analyzer of gcc 12 finds none is one: it loses sight of
# what is handed out through a pointer. Others look for them: cppcheck, and
# the address sanitizer with every call made to fail. No object is wanted: gcc
# leaves it at assembler, clang at what its optimizer would be given.
LINT_gcc := -g0 -S -fanalyzer -Wno-analyzer-malloc-leak -Wlogical-op \
	-Wduplicated-cond -Wduplicated-branches -Wcast-align=strict \
	-Wimplicit-fallthrough=5 -Wformat-signedness -Wformat-overflow=2 \
	-Wstringop-overflow=4 -Warith-conversion -Wjump-misses-init \
	-Wtrampolines
LINT_clang := -g0 -emit-llvm -Xclang -disable-llvm-passes \
	-Wassign-enum -Wbitwise-instead-of-logical -Wcomma \
	-Wconditional-uninitialized -Wcovered-switch-default \
	-Wembedded-directive -Wextra-semi -Wextra-semi-stmt \
	-Wformat-type-confusion -Widiomatic-parentheses -Wloop-analysis \
	-Wmissing-noreturn -Wmissing-variable-declarations -Wnewline-eof \
	-Wover-aligned -Wshift-sign-overflow -Wshorten-64-to-32 \
	-Wstring-conversion -Wtautological-constant-in-range-compare \
	-Wunreachable-code-aggressive
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE \
	-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack

# The sanitizers bring checks of their own, which fortification disturbs.
ifdef SANITIZE
HARDEN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
HARDEN_LD := -fsanitize=$(SANITIZE)
endif

# A static build has flags and libraries of its own.
ifdef KIT
include contrib/static/kit.mk
endif

# In CI and for lint alone: a newer compiler's new warning must not stop a user.
WERROR := $(if $(CI)$(LINTER),-Werror)

BASE_CPPFLAGS := $(KIT_CPPFLAGS) -Iinclude -Isrc -D_GNU_SOURCE \
	-D_FILE_OFFSET_BITS=64 -DAVML_VERSION='"$(VERSION)"'
BASE_CFLAGS := -std=gnu11 -O2 -g $(WARN) $(LINT_$(LINTER)) $(WERROR) \
	$(HARDEN) $(KIT_CFLAGS) -pthread
# What the user sets comes last.
COMPILE = $(CC) $(BASE_CPPFLAGS) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS)
# static-minimal has no network code.
NET := $(if $(filter musl,$(KIT)),,net)
NET_LIBS := $(if $(NET),-lcurl -lssl $(if $(KIT),-lcares) -lexpat)
# What libavml.a wants; JSON is of src/cmd alone.
LIB_LIBS := $(NET_LIBS) -lsnappy $(if $(NET),-lcrypto,-lmbedcrypto)
LIBS = $(KIT_LIBS) -lcjson $(LIB_LIBS)
LINK = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(KIT_LDFLAGS) $(HARDEN_LD) $(LDFLAGS)

V ?= 0
ifneq ($(findstring s,$(firstword -$(MAKEFLAGS))),)
Q := @
say = @:
else ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

ROOMS := base $(NET) mem source format pipeline sink job
# SHA-256 is OpenSSL's, but in static-minimal, which has no room for that; nor
# has it sinks that are remote, but a file that says so.
LEFT_OUT := $(if $(NET),%/digest_mbedtls.c %/sink/no_remote.c, \
	%/digest_evp.c src/sink/remote%)
LIB_SRC := $(filter-out $(LEFT_OUT), \
	$(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c)))
CMD_SRC := $(wildcard src/cmd/*.c) src/main.c
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
# Where there is no network code, it has no tests either: see tests/run.sh.
CHECK_SRC := $(filter-out $(if $(NET),,$(shell grep -lE \
	'include ("(net/|sink/remote)|<avml/upload)' tests/check_*.c)), \
	$(wildcard tests/check_*.c))
CHECKS := $(CHECK_SRC:tests/%.c=$(BUILD)/tests/%)
FAULT_SRC := $(wildcard tests/fault/*.c)
FUZZ_SRC := $(wildcard tests/fuzz/*.c)
FUZZ_NAMES := $(patsubst fuzz_%.c,%,$(notdir $(filter \
	tests/fuzz/fuzz_%,$(FUZZ_SRC))))
LIB := $(BUILD)/libavml.a
# The binary of another build directory stays in it.
AVML := $(if $(filter build,$(BUILD)),avml,$(BUILD)/avml)

.PHONY: all
all: $(AVML) $(AVML)-convert $(AVML)-upload $(LIB) $(BUILD)/avml.pc \
	$(if $(KIT),,completions)

# What is compiled and linked with: when that changes, all is made anew.
FLAGS := $(COMPILE) $(LINK) $(LIBS) $(AVML_LDFLAGS)
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(FLAGS)' | cmp -s - $@ || echo '$(FLAGS)' > $@

$(BUILD)/%.o: %.c Makefile $(BUILD)/flags $(KIT_READY)
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# Of the commit, one object has to be made anew.
$(BUILD)/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' > $@
$(BUILD)/src/cmd/version.o: $(BUILD)/commit
$(BUILD)/src/cmd/version.o: BASE_CPPFLAGS += -DAVML_COMMIT='"$(COMMIT)"'
.PHONY: FORCE
FORCE:

# What depends on nothing but the other objects goes in as it is.
$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(AVML): $(CMD_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(AVML_LDFLAGS) -o $@ $^ $(LIBS)

# The name of the program is that of a command: one binary, several links.
$(AVML)-convert $(AVML)-upload: $(AVML)
	$(Q)ln -sf $(notdir $<) $@

# Where it is installed to is known by the make that does it, which may be
# another user's.
$(BUILD)/avml.pc: FORCE
	@mkdir -p $(@D)
	@rm -f $@ && printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' \
		'includedir=$(INCLUDEDIR)' '' 'Name: avml' \
		'Description: Acquisition of physical memory' \
		'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
		'Libs: -L$${libdir} -lavml $(LIB_LIBS) -pthread' > $@

# What shells complete, by a program that has the commands' own tables. One of
# another processor does not run here.
PROGRAMS := avml avml-convert avml-upload
COMPLETIONS := $(if $(filter-out $(shell uname -m),$(ARCH)),,$(addprefix \
	$(BUILD)/completions/,avml.bash _avml $(PROGRAMS:=.fish)))
COMPLETIONS_SRC := $(wildcard contrib/completions/*.c)
.PHONY: completions
completions: $(COMPLETIONS)

$(BUILD)/completions/tables: $(COMPLETIONS_SRC:%.c=$(BUILD)/%.o) \
		$(filter-out $(BUILD)/src/main.o,$(CMD_OBJ)) $(LIB)
	@mkdir -p $(@D)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# $(1) is the shell, $(2) the programs.
MAKE_COMPLETION = $(Q){ $(BUILD)/completions/tables $(1) $(2) && \
	cat contrib/completions/avml.$(1); } > $@.new && mv $@.new $@
$(BUILD)/completions/avml.bash: $(BUILD)/completions/tables \
		contrib/completions/avml.bash
	$(call MAKE_COMPLETION,bash,$(PROGRAMS))
$(BUILD)/completions/_avml: $(BUILD)/completions/tables \
		contrib/completions/avml.zsh
	$(call MAKE_COMPLETION,zsh,$(PROGRAMS))
$(BUILD)/completions/%.fish: $(BUILD)/completions/tables \
		contrib/completions/avml.fish
	$(call MAKE_COMPLETION,fish,$*)

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(CHECK_SRC:%.c=$(BUILD)/%.d) \
	$(COMPLETIONS_SRC:%.c=$(BUILD)/%.d) \
	$(FAULT_SRC:%.c=$(BUILD)/%.d) $(FUZZ_SRC:%.c=$(BUILD)/%.d)

# --- static builds -------------------------------------------------------

# One file that runs anywhere: $(BUILD)/static/avml and the like. ARCH=aarch64
# is for another processor, in a directory with that at its end.
STATIC_OTHER := $(filter-out $(shell uname -m),$(ARCH))
STATIC_DIR = $(BUILD)/$(1)$(addprefix -,$(STATIC_OTHER))

.PHONY: static static-minimal
static:
	$(Q)$(MAKE) KIT=glibc BUILD=$(call STATIC_DIR,$@) all
static-minimal:
	$(Q)$(MAKE) KIT=musl BUILD=$(call STATIC_DIR,$@) all

ifdef KIT
# What is inside, beside the binary.
all: $(AVML).cdx.json
$(AVML).cdx.json: $(AVML) $(KIT_READY) contrib/static/sbom.py FORCE
	$(call say,SBOM,$@)
	$(Q)python3 contrib/static/sbom.py --taken $(KIT_TAKEN) \
		--time "$(SOURCE_DATE_EPOCH)" --build $(KIT_NAME) \
		--arch $(ARCH) --version $(VERSION) --commit "$(COMMIT)" \
		--compiler "$$($(CC) --version | head -n 1)" $< $@

$(KIT_READY): contrib/static/pins $(wildcard contrib/static/*.sh) \
		$(wildcard contrib/static/*.c)
	@mkdir -p $(KITS)
	$(Q)contrib/static/kit.sh $(KIT) $(ARCH) $(KITS)

$(KIT_CHECK_READY): $(KIT_READY)
	$(Q)contrib/static/kit.sh $(KIT) $(ARCH) $(KITS) check
endif

# --- tests ---------------------------------------------------------------

# Of the makes that the suites below call.
JOBS ?= $(shell nproc)

CHECK_CFLAGS = $(if $(KIT),,$(shell $(PKG_CONFIG) --cflags check))
CHECK_LIBS = $(if $(KIT),-lcheck -lm,$(shell $(PKG_CONFIG) --libs check))
# A test with a function __wrap_NAME has it called in the place of NAME.
CHECK_WRAP = $(shell $(NM) $< | sed -n 's/.* T __wrap_/-Wl,--wrap=/p')
CMD_LIB_OBJ := $(filter-out $(BUILD)/src/main.o,$(CMD_OBJ))

$(BUILD)/tests/%.o: BASE_CPPFLAGS += $(CHECK_CFLAGS)
$(CHECK_SRC:%.c=$(BUILD)/%.o): $(KIT_CHECK_READY)

$(BUILD)/tests/check_%: $(BUILD)/tests/check_%.o $(CMD_LIB_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) $(CHECK_WRAP) -o $@ $^ $(CHECK_LIBS) $(LIBS)

.SECONDARY: $(CHECK_SRC:%.c=$(BUILD)/%.o)

# The command, with every call of libc that can fail made to go through
# tests/fault/fault.c.
FAULT_OBJ := $(FAULT_SRC:%.c=$(BUILD)/%.o)
FAULT_WRAP = $(shell sed -nE \
	's/^(wrap|track) ([A-Za-z0-9_]+).*/-Wl,--wrap=\2/p' tests/fault/calls)

$(BUILD)/tests/avml-fault: $(CMD_OBJ) $(FAULT_OBJ) $(LIB) tests/fault/calls
	$(call say,LINK,$@)
	$(Q)$(LINK) $(FAULT_WRAP) -o $@ $(filter-out %/calls,$^) $(LIBS)

.SECONDARY: $(FAULT_OBJ)

# What chroots.sh sends files with, by the libraries of the static build.
$(BUILD)/tests/put: $(BUILD)/tests/static/put.o
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

.SECONDARY: $(BUILD)/tests/static/put.o

# What runs the fuzz targets over inputs that are kept, see below.
REPLAYS := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/replay-%)
FUZZ_COMMON := $(BUILD)/tests/fuzz/image.o $(BUILD)/tests/fuzz/job.o \
	$(CMD_LIB_OBJ) $(LIB)

$(REPLAYS): $(BUILD)/tests/fuzz/replay-%: $(BUILD)/tests/fuzz/fuzz_%.o \
		$(BUILD)/tests/fuzz/replay.o $(FUZZ_COMMON)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

.SECONDARY: $(FUZZ_SRC:%.c=$(BUILD)/%.o)

.PHONY: replays
replays: $(REPLAYS)

# What starts threads, as tests/run.sh sees it.
THREAD_CHECKS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(shell \
	grep -lE 'threads|pipeline' $(CHECK_SRC)))

.PHONY: checks thread-checks
checks: $(AVML) $(AVML)-convert $(AVML)-upload $(CHECKS)
thread-checks: $(AVML) $(AVML)-convert $(THREAD_CHECKS)

# Everything that does not take long, with one closing line. The parts
# follow one by one; check-asan and check-slow are the long ones.
MAKE_ASAN = $(MAKE) -j$(JOBS) BUILD=$(BUILD)/asan \
	SANITIZE=address,undefined checks replays $(BUILD)/asan/tests/avml-fault
MAKE_TSAN = $(MAKE) -j$(JOBS) BUILD=$(BUILD)/tsan SANITIZE=thread \
	thread-checks
# Of each kind of command a script that goes far into it.
ASAN_SCRIPTS := acquire-file kcore-lies iomem-bad source-short signal-file \
	stdout convert-formats convert-oddities compress-random

.PHONY: check check-unit check-cli check-includes check-docs check-format
.PHONY: check-completions
check: checks completions
	$(Q)$(MAKE_ASAN)
	$(Q)$(MAKE_TSAN)
	$(Q)tests/run.sh includes docs format ci unit:$(BUILD) cli:$(AVML) \
		completions:$(AVML) unit:$(BUILD)/asan \
		"cli:$(BUILD)/asan/avml $(ASAN_SCRIPTS)" \
		fuzz:$(BUILD)/asan \
		threads:$(BUILD)/tsan "faults:$(BUILD)/asan --quick"

check-unit: checks
	$(Q)tests/run.sh unit:$(BUILD)

check-cli: $(AVML)
	$(Q)tests/run.sh cli:$(AVML)

check-completions: $(AVML) completions
	$(Q)tests/run.sh completions:$(AVML)

check-includes check-docs check-format: $(AVML)
	$(Q)tests/run.sh $(@:check-%=%)

# Static analysis. All C but what has a build of its own: a kernel module, what
# wants the libraries of static, and the parts of a libc in contrib/static.
.PHONY: check-lint objects lint-flags lint-sources
check-lint:
	$(Q)tests/run.sh lint

C_SRC := $(LIB_SRC) $(CMD_SRC) $(filter-out tests/vm/crash.c \
	tests/static/put.c,$(wildcard tests/*.c tests/*/*.c)) $(wildcard bench/*.c) \
	$(COMPLETIONS_SRC)
objects: $(C_SRC:%.c=$(BUILD)/%.o)

# For tools that take the compiler's flags; the commit is that of no build.
lint-flags:
	@$(info $(BASE_CPPFLAGS) $(CHECK_CFLAGS) -DAVML_COMMIT='""' -std=gnu11) :

lint-sources:
	@$(info $(C_SRC)) :

.PHONY: check-asan check-tsan check-fault check-slow
check-asan: checks
	$(Q)$(MAKE_ASAN)
	$(Q)tests/run.sh unit:$(BUILD)/asan cli:$(BUILD)/asan/avml \
		fuzz:$(BUILD)/asan

check-tsan: checks
	$(Q)$(MAKE_TSAN)
	$(Q)tests/run.sh unit:$(BUILD)/tsan threads:$(BUILD)/tsan

# Every call that can fail made to fail, one by one.
check-fault: checks
	$(Q)$(MAKE_ASAN)
	$(Q)tests/run.sh faults:$(BUILD)/asan

# All scripts with sanitizers, all faults, conversions of 1 GiB, and a thousand
# flipped bits. With AFTER_CHECK=1, of the first two what `make check` has not
# run in this build; a bare "cli:" is all scripts.
SLOW_SCRIPTS = $(if $(AFTER_CHECK),$(filter-out $(ASAN_SCRIPTS) lib run,\
	$(patsubst tests/cli/%.sh,%,$(wildcard tests/cli/*.sh))))
SLOW_FAULTS = $(if $(AFTER_CHECK),--after-quick)
check-slow: checks
	$(Q)$(MAKE_ASAN)
	$(Q)tests/run.sh "cli:$(BUILD)/asan/avml $(SLOW_SCRIPTS)" \
		"faults:$(BUILD)/asan $(SLOW_FAULTS)"
	$(Q)AVML_TEST_SLOW=1 LIMIT=600 tests/run.sh \
		"cli:$(AVML) convert-round verify-flips"

# What goes over the network, to real servers on loopback.
.PHONY: check-net
check-net: $(AVML) npm
	$(Q)tests/run.sh net:$(AVML)

# The playbook of contrib/ansible, for hosts that are name spaces. What it pushes
# is what it is for: the binary that runs anywhere.
.PHONY: check-fleet
check-fleet:
	$(Q)$(MAKE) -j$(JOBS) static npm
	$(Q)tests/run.sh fleet:$(call STATIC_DIR,static)/avml

# The static binaries, here and in foreign systems, and how they are made.
# Of static, which has the C library of the dynamic build, some scripts.
STATIC_SCRIPTS := $(ASAN_SCRIPTS) nosys help threads sources-json
# And some that send, by libraries that are static's own.
STATIC_NET := put put-tls tls tcp blob blob-tls
.PHONY: check-static
check-static: $(AVML)
	$(Q)$(MAKE) -j$(JOBS) static-minimal static roots npm
	$(Q)$(MAKE) -j$(JOBS) KIT=musl BUILD=$(BUILD)/static-minimal checks
	$(Q)$(MAKE) -j$(JOBS) KIT=glibc BUILD=$(BUILD)/static \
		$(BUILD)/static/tests/put
	$(Q)NATIVE=$(abspath $(AVML)) tests/run.sh unit:$(BUILD)/static-minimal \
		cli:$(BUILD)/static-minimal/avml \
		static:$(BUILD)/static-minimal/avml \
		"cli:$(BUILD)/static/avml $(STATIC_SCRIPTS)" \
		"net:$(BUILD)/static/avml $(STATIC_NET)" \
		static:$(BUILD)/static/avml

# What is given to others, of the last commit.
# A release has as many static binaries here as there have been made.
RELEASED = $(patsubst $(BUILD)/%/avml,%,$(wildcard $(RELEASE:%=$(BUILD)/%/avml)))
.PHONY: check-package
check-package: $(AVML)
	$(Q)$(MAKE) -j$(JOBS) release-files RELEASE="$(RELEASED)"
	$(Q)BUILD=$(abspath $(BUILD)) tests/run.sh package:$(AVML)

# Debian's releases, for static binaries to run in.
.PHONY: roots npm
roots:
	$(Q)tests/roots.sh build/roots

# The makers' own reader of bills of materials; a service of blobs, as Azure's.
# Two suites may want them at a time.
NPM := @cyclonedx/cyclonedx-library@10.3.0 ajv@8.17.1 ajv-formats@3.0.1 \
	ajv-formats-draft2019@1.6.1 azurite@3.35.0 s3rver@3.7.1
npm: build/npm/complete
build/npm/complete: Makefile
	@mkdir -p $(@D)
	$(Q)flock $(@D)/lock sh -c 'test $@ -nt Makefile || { \
		npm install --prefix $(@D) --no-audit --no-fund \
			--ignore-scripts --loglevel=error $(NPM) && touch $@; }'

# Other processors' binaries, by QEMU's emulation of a processor.
CROSS := static-minimal-aarch64 static-aarch64 static-minimal-s390x

.PHONY: check-cross
check-cross: $(AVML)
	$(Q)$(MAKE) -j$(JOBS) npm $(CROSS:%=build-%)
	$(Q)NATIVE=$(abspath $(AVML)) tests/cross.sh $(CROSS:%=$(BUILD)/%)

.PHONY: $(CROSS:%=build-%)
$(CROSS:%=build-%): build-%: $(AVML)
	$(Q)$(MAKE) KIT=$(if $(findstring minimal,$*),musl,glibc) \
		ARCH=$(lastword $(subst -, ,$*)) BUILD=$(BUILD)/$* all checks

# A real kernel in a virtual machine, and its memory acquired there: by the
# binary that runs anywhere, and off the machine by the one with network code.
.PHONY: check-vm
check-vm:
	$(Q)$(MAKE) -j$(JOBS) static-minimal static
	$(Q)tests/run.sh vm-selftest
	$(Q)NET_AVML=$(call STATIC_DIR,static)/avml tests/vm/run.sh \
		$(call STATIC_DIR,static-minimal)/avml

# The same on another processor, emulated too: two boots, of half a minute each.
.PHONY: check-vm-arm64
check-vm-arm64: release-static-minimal-aarch64
	$(Q)tests/vm/run.sh $(BUILD)/static-minimal-aarch64/avml

# What README.md shows: a guest's terminal, recorded and drawn. Nothing of the
# guest's memory stays.
.PHONY: picture
picture: static-minimal
	$(Q)rm -rf $(BUILD)/picture
	$(Q)KEEP=$(BUILD)/picture tests/vm/run.sh \
		$(call STATIC_DIR,static-minimal)/avml picture
	$(Q)mv $(BUILD)/picture/picture/terminal $(BUILD)/picture/recording
	$(Q)rm -rf $(BUILD)/picture/picture
	$(call say,DRAW,contrib/picture/avml.svg)
	$(Q)contrib/picture/picture.py $(BUILD)/picture/recording > \
		$(BUILD)/picture/avml.svg
	$(Q)cp $(BUILD)/picture/avml.svg contrib/picture/avml.svg

# --- fuzzing ---------------------------------------------------------------

# Every target, or those of FUZZ, for SECONDS each: what it finds and what is
# new in its corpus is below $(BUILD)/fuzz. See tests/fuzz/run.sh.
SECONDS ?= 60
FUZZ ?= $(FUZZ_NAMES)
FUZZERS := $(FUZZ_NAMES:%=$(BUILD)/tests/fuzz/fuzz-%)
MAKE_FUZZ = $(MAKE) -j$(JOBS) CC=clang BUILD=$(BUILD)/fuzz \
	SANITIZE=fuzzer-no-link,address,undefined fuzzers

# What holds the results against each other is not what is to be explored.
ifneq ($(findstring fuzzer,$(SANITIZE)),)
$(BUILD)/tests/fuzz/image.o $(BUILD)/tests/fuzz/mutate.o: BASE_CFLAGS += \
	-fno-sanitize=fuzzer-no-link
endif

# Those that read images have changes of their own.
FUZZ_IMAGES := $(filter %-convert %-damage %-salvage %-verify,$(FUZZERS))
$(FUZZ_IMAGES): $(BUILD)/tests/fuzz/mutate.o

$(FUZZERS): $(BUILD)/tests/fuzz/fuzz-%: $(BUILD)/tests/fuzz/fuzz_%.o \
		$(FUZZ_COMMON)
	$(call say,LINK,$@)
	$(Q)$(LINK) -fsanitize=fuzzer -o $@ $^ $(LIBS)

.PHONY: fuzzers fuzz fuzz-merge
fuzzers: $(FUZZERS)

fuzz:
	$(Q)test -z '$(filter-out $(FUZZ_NAMES),$(FUZZ))' || \
		{ echo 'no such target: $(filter-out $(FUZZ_NAMES),$(FUZZ))'; false; }
	$(Q)$(MAKE_FUZZ)
	$(Q)tests/fuzz/run.sh $(BUILD)/fuzz $(SECONDS) $(FUZZ)

fuzz-merge:
	$(Q)$(MAKE_FUZZ)
	$(Q)tests/fuzz/merge.sh $(BUILD)/fuzz $(FUZZ)

# --- speed -----------------------------------------------------------------

# Acquisitions and conversions, against the sum of their parts: bench/run.py.
BENCH_TOOLS := $(BUILD)/bench/input $(BUILD)/bench/parts

$(BENCH_TOOLS): %: %.o $(CMD_LIB_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^ $(LIBS)

.SECONDARY: $(BENCH_TOOLS:=.o)

.PHONY: bench bench-tools
bench-tools: $(AVML) $(BENCH_TOOLS)

BENCH_DIR ?= $(BUILD)
bench: $(AVML)
	$(Q)$(MAKE) -s --no-print-directory KIT=musl \
		BUILD=$(BUILD)/static-minimal bench-tools >&2
	$(Q)bench/run.py --avml $(BUILD)/static-minimal/avml \
		--other $(abspath $(AVML)) --disk $(BENCH_DIR) \
		--tools $(BUILD)/static-minimal/bench $(BENCH)
	$(Q)bench/cache.py --avml $(BUILD)/static-minimal/avml \
		--disk $(BENCH_DIR) --tools $(BUILD)/static-minimal/bench

# What goes off the host, to servers of its own on loopback.
.PHONY: bench-net
bench-net:
	$(Q)$(MAKE) -s --no-print-directory static npm >&2
	$(Q)$(MAKE) -s --no-print-directory KIT=musl \
		BUILD=$(BUILD)/static-minimal bench-tools >&2
	$(Q)bench/net.py --avml $(BUILD)/static/avml \
		--tools $(BUILD)/static-minimal/bench $(BENCH)

.PHONY: format
format:
	clang-format -i $$(git ls-files -co --exclude-standard '*.[ch]')

# --- around the build ----------------------------------------------------

# No privilege and no real memory: a made-up machine of 64 MiB.
.PHONY: demo
demo: $(AVML)
	@mkdir -p $(BUILD)/demo
	$(Q)tests/mkimage --size 64 $(BUILD)/demo/memory $(BUILD)/demo/iomem
	$(abspath $(AVML)) --source $(BUILD)/demo/memory \
		--iomem $(BUILD)/demo/iomem $(BUILD)/demo/demo.lime
	$(Q)python3 tests/lib/lime.py table $(BUILD)/demo/demo.lime

DEPS_BUILD := gcc make libc6-dev libsnappy-dev libcjson-dev libssl-dev \
	libcurl4-openssl-dev libexpat1-dev
# For the static builds, and for those of other processors.
DEPS_STATIC := g++ dpkg-dev binutils python3
DEPS_CROSS := g++-aarch64-linux-gnu g++-s390x-linux-gnu qemu-user-static
DEPS_PACKAGE := dpkg-dev debhelper
DEPS_TEST := $(DEPS_STATIC) $(DEPS_CROSS) $(DEPS_PACKAGE) check pkg-config mandoc \
	shellcheck clang-format clang clang-tidy libclang-rt-dev cppcheck git \
	qemu-system-x86 qemu-system-arm bpftool busybox-static e2fsprogs cpio kmod \
	strace util-linux xz-utils libelf1 openssl python3-jsonschema mmdebstrap \
	dnsmasq-base iproute2 nginx-light socat ncat curl bash zsh fish lintian gpg \
	gpg-agent ansible-core openssh-server sudo \
	$(if $(shell command -v npm),,nodejs npm)
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
APT_INSTALL = $(SUDO) apt-get update && $(SUDO) env \
	DEBIAN_FRONTEND=noninteractive apt-get install -y \
	--no-install-recommends

.PHONY: deps deps-static deps-cross deps-package deps-test
deps:
	$(APT_INSTALL) $(DEPS_BUILD)

deps-static:
	$(APT_INSTALL) $(DEPS_BUILD) $(DEPS_STATIC)

deps-cross:
	$(APT_INSTALL) $(DEPS_BUILD) $(DEPS_STATIC) $(DEPS_CROSS)

deps-package:
	$(APT_INSTALL) $(DEPS_BUILD) $(DEPS_PACKAGE)

deps-test:
	$(APT_INSTALL) $(DEPS_BUILD) $(DEPS_TEST)

.PHONY: install install-library uninstall
install: all completions $(if $(KIT),,install-library)
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(MANDIR)/man5 \
		$(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man8
	install -m 755 $(AVML) $(DESTDIR)$(BINDIR)/avml
	ln -sf avml $(DESTDIR)$(BINDIR)/avml-convert
	ln -sf avml $(DESTDIR)$(BINDIR)/avml-upload
	install -m 644 man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 man/*.5 $(DESTDIR)$(MANDIR)/man5
	install -m 644 man/*.8 $(DESTDIR)$(MANDIR)/man8
	install -d $(DESTDIR)$(DATADIR)/avml
	install -m 644 contrib/avml-report.schema.json $(DESTDIR)$(DATADIR)/avml
ifneq ($(COMPLETIONS),)
	install -d $(DESTDIR)$(BASHCOMPDIR) $(DESTDIR)$(ZSHCOMPDIR) \
		$(DESTDIR)$(FISHCOMPDIR)
	install -m 644 $(BUILD)/completions/avml.bash $(DESTDIR)$(BASHCOMPDIR)/avml
	ln -sf avml $(DESTDIR)$(BASHCOMPDIR)/avml-convert
	ln -sf avml $(DESTDIR)$(BASHCOMPDIR)/avml-upload
	install -m 644 $(BUILD)/completions/_avml $(DESTDIR)$(ZSHCOMPDIR)
	install -m 644 $(BUILD)/completions/*.fish $(DESTDIR)$(FISHCOMPDIR)
endif

# A static build's library is not for programs of this system.
install-library: all
	install -d $(DESTDIR)$(LIBDIR)/pkgconfig $(DESTDIR)$(INCLUDEDIR)/avml
	install -m 644 $(LIB) $(DESTDIR)$(LIBDIR)
	install -m 644 $(BUILD)/avml.pc $(DESTDIR)$(LIBDIR)/pkgconfig
	install -m 644 include/avml/*.h $(DESTDIR)$(INCLUDEDIR)/avml

# What install puts there, and directories that are avml's alone.
uninstall:
	rm -f $(addprefix $(DESTDIR)$(BINDIR)/,$(PROGRAMS)) \
		$(foreach page,$(notdir $(wildcard man/*.[158])),\
		$(DESTDIR)$(MANDIR)/man$(subst .,,$(suffix $(page)))/$(page)) \
		$(addprefix $(DESTDIR)$(BASHCOMPDIR)/,$(PROGRAMS)) \
		$(DESTDIR)$(ZSHCOMPDIR)/_avml \
		$(addprefix $(DESTDIR)$(FISHCOMPDIR)/,$(PROGRAMS:=.fish)) \
		$(DESTDIR)$(LIBDIR)/libavml.a \
		$(DESTDIR)$(LIBDIR)/pkgconfig/avml.pc
	rm -rf $(DESTDIR)$(DATADIR)/avml $(DESTDIR)$(INCLUDEDIR)/avml

# --- what is given to others ----------------------------------------------

# The commit, as it is: nothing that git does not know, no owner, one time.
DIST := $(BUILD)/dist/avml-$(VERSION).tar.gz
.PHONY: dist
dist:
	@test -n '$(IN_GIT)' || { echo 'a tarball is made from git' >&2; false; }
	@git diff --quiet HEAD || \
		echo 'note: what is not committed is not in the tarball' >&2
	@mkdir -p $(BUILD)/dist
	$(call say,DIST,$(DIST))
	$(Q)git -c tar.umask=0022 archive --format=tar -o $(DIST).tar \
		--prefix=avml-$(VERSION)/ HEAD
	$(Q)gzip -9n < $(DIST).tar > $(DIST).new
	$(Q)rm $(DIST).tar && mv $(DIST).new $(DIST)

# Packages for Debian 12, of that tarball. The unit tests have been run.
.PHONY: deb
deb: dist
	$(Q)DEB_BUILD_OPTIONS="$${DEB_BUILD_OPTIONS-nocheck}" \
		contrib/package/deb.sh $(DIST) $(BUILD)/deb

# All of it in $(BUILD)/release, to be signed.
RELEASE := static static-minimal $(CROSS)
.PHONY: release release-files $(RELEASE:%=release-%)
release:
	@case '$(COMMIT)' in \
	*-dirty | unknown | '') \
		echo 'a release is of a commit, and this tree has changes, or is of none' >&2; \
		false ;; \
	esac
	$(Q)$(MAKE) -j$(JOBS) release-files

release-files: deb $(RELEASE:%=release-%)
	$(call say,RELEASE,$(BUILD)/release)
	$(Q)contrib/package/release.sh $(BUILD) $(VERSION) $(COMMIT) $(RELEASE)

$(RELEASE:%=release-%): release-%:
	$(Q)$(MAKE) KIT=$(if $(findstring minimal,$*),musl,glibc) \
		$(if $(filter $*,$(CROSS)),ARCH=$(lastword $(subst -, ,$*))) \
		BUILD=$(BUILD)/$* all

.PHONY: clean
clean:
	rm -rf $(BUILD) avml avml-convert avml-upload
