# SPDX-License-Identifier: MIT
# Build products go to build/; only ./avml stands at the top.

VERSION := 0.1.0

PREFIX ?= /usr/local
BINDIR ?= $(PREFIX)/bin
LIBDIR ?= $(PREFIX)/lib
INCLUDEDIR ?= $(PREFIX)/include
MANDIR ?= $(PREFIX)/share/man

CC ?= cc
AR ?= ar
PKG_CONFIG ?= pkg-config
BUILD ?= build

WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes \
	-Wmissing-prototypes -Wpointer-arith -Wvla -Wundef -Wformat=2
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE \
	-D_FORTIFY_SOURCE=2
HARDEN_LD := -pie -Wl,-z,relro,-z,now,-z,noexecstack

# The sanitizers bring checks of their own, which fortification disturbs.
ifdef SANITIZE
HARDEN := -fsanitize=$(SANITIZE) -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
HARDEN_LD := -fsanitize=$(SANITIZE)
endif

# -Werror in CI only: a newer compiler's new warning must not stop a user.
WERROR := $(if $(CI),-Werror)

BASE_CPPFLAGS := -Iinclude -Isrc -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 \
	-DAVML_VERSION='"$(VERSION)"'
BASE_CFLAGS := -std=gnu11 -O2 -g $(WARN) $(WERROR) $(HARDEN) -pthread
# What the user sets comes last.
COMPILE = $(CC) $(BASE_CPPFLAGS) $(CPPFLAGS) $(BASE_CFLAGS) $(CFLAGS)
LINK = $(CC) $(BASE_CFLAGS) $(CFLAGS) $(HARDEN_LD) $(LDFLAGS)

V ?= 0
ifeq ($(V),0)
Q := @
say = @printf '  %-7s %s\n' $(1) $(2)
else
Q :=
say = @:
endif

ROOMS := base mem source format pipeline sink job
LIB_SRC := $(foreach room,$(ROOMS),$(wildcard src/$(room)/*.c))
CMD_SRC := $(wildcard src/cmd/*.c) src/main.c
LIB_OBJ := $(LIB_SRC:%.c=$(BUILD)/%.o)
CMD_OBJ := $(CMD_SRC:%.c=$(BUILD)/%.o)
CHECK_SRC := $(wildcard tests/check_*.c)
CHECKS := $(CHECK_SRC:tests/%.c=$(BUILD)/tests/%)
LIB := $(BUILD)/libavml.a
# The binary of another build directory stays in it.
AVML := $(if $(filter build,$(BUILD)),avml,$(BUILD)/avml)

.PHONY: all
all: $(AVML) $(LIB) $(BUILD)/avml.pc

$(BUILD)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(COMPILE) -MMD -MP -c -o $@ $<

# What depends on nothing but the other objects goes in as it is.
$(LIB): $(LIB_OBJ)
	$(call say,AR,$@)
	$(Q)rm -f $@ && $(AR) rcs $@ $^

$(AVML): $(CMD_OBJ) $(LIB)
	$(call say,LINK,$@)
	$(Q)$(LINK) -o $@ $^

$(BUILD)/avml.pc: Makefile
	@mkdir -p $(@D)
	$(Q)printf '%s\n' 'prefix=$(PREFIX)' 'libdir=$(LIBDIR)' \
		'includedir=$(INCLUDEDIR)' '' 'Name: avml' \
		'Description: Acquisition of physical memory' \
		'Version: $(VERSION)' 'Cflags: -I$${includedir}' \
		'Libs: -L$${libdir} -lavml -pthread' > $@

-include $(LIB_OBJ:.o=.d) $(CMD_OBJ:.o=.d) $(CHECK_SRC:%.c=$(BUILD)/%.d)
