# SPDX-License-Identifier: MIT
# Part of the Makefile where KIT is set: one static binary with everything in
# it, built with the kit that kit.sh makes.
#
#   KIT     musl: static-minimal, no network code, Linux from 2.6.32 on
#           glibc: static, with all libraries, Linux from 3.2 on
#   ARCH    the processor: x86_64, aarch64, s390x (musl only)

ifeq ($(BUILD),build)
$(error KIT wants a BUILD of its own: make static-minimal, make static)
endif
ifneq ($(filter command%,$(origin CC)),)
$(error a static build has gcc, of $(ARCH): CC cannot be set)
endif

KIT_DIR := $(KITS)/$(KIT)-$(ARCH)
KIT_READY := $(KIT_DIR)/complete
KIT_CHECK_READY := $(KIT_DIR)/check-complete
KIT_TAKEN := $(KIT_DIR)/taken
# The time that a build may tell.
SOURCE_DATE_EPOCH ?= $(COMMIT_TIME)
KIT_NAME := $(if $(filter musl,$(KIT)),static-minimal,static)
KIT_GNU := $(ARCH)-linux-gnu

CC := $(KIT_GNU)-gcc
AR := $(KIT_GNU)-ar
NM := $(KIT_GNU)-nm

# On s390x position independent programs cannot be static.
ifeq ($(ARCH),s390x)
KIT_PIE := -fno-pie
KIT_LDPIE := -static -no-pie
else
KIT_PIE := -fPIE
KIT_LDPIE := -static-pie
endif

KIT_CPPFLAGS := -I$(KIT_DIR)/include -DAVML_KIT='"$(KIT_NAME)"'
KIT_LDFLAGS := $(KIT_LDPIE) -L$(KIT_DIR)/lib

ifeq ($(KIT),musl)
# musl's files are found first: compiler and linker stay the usual ones.
KIT_CPPFLAGS += -nostdinc -isystem $(KIT_DIR)/include/musl \
	-isystem $(shell $(CC) -print-file-name=include) \
	-isystem $(KIT_DIR)/include/kernel
KIT_LDFLAGS += -B$(KIT_DIR)/lib
# musl has no functions that fortify.
KIT_FORTIFY :=
else
KIT_FORTIFY := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
KIT_LIBS := $(KIT_DIR)/lib/no_host.o
# See no_host.c.
KIT_WRAP := getaddrinfo freeaddrinfo getnameinfo gethostbyname getservbyname \
	getservbyport_r dlopen dlsym dladdr dlclose dlerror
KIT_LDFLAGS += $(foreach name,$(KIT_WRAP),-Wl,--wrap=$(name))
endif

HARDEN := $(KIT_PIE) -fstack-protector-strong -fstack-clash-protection \
	$(KIT_FORTIFY)
HARDEN_LD := -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections,--fatal-warnings
AVML_LDFLAGS := -s
# Nothing of where it was built, and no tables that only debuggers read.
KIT_CFLAGS := -ffunction-sections -fdata-sections \
	-fno-asynchronous-unwind-tables -fno-unwind-tables \
	-ffile-prefix-map=$(CURDIR)=.
