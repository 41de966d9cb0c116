/* SPDX-License-Identifier: MIT */
/*
 * Functions of glibc's that load shared objects of the host into a static
 * program: name services (nsswitch.conf) and dlopen(). On a host with nss-mdns
 * or nss-resolve, or with another glibc, that ends the program by SIGABRT or
 * SIGFPE; on a compromised one it runs what the attacker put there. In a
 * static build these here stand in their place (by ld's --wrap, see kit.mk),
 * and fail. Names are resolved by c-ares, ports are numbers, and OpenSSL takes
 * it as "no such module".
 *
 * The linker warns of a use of any other function of this kind, and kit.mk
 * makes that an error.
 */
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <stddef.h>

int __wrap_getaddrinfo(const char *name, const char *service,
	const struct addrinfo *hints, struct addrinfo **result);
void __wrap_freeaddrinfo(struct addrinfo *list);
int __wrap_getnameinfo(const struct sockaddr *address, socklen_t address_len,
	char *host, socklen_t host_len, char *service, socklen_t service_len,
	int flags);
struct hostent *__wrap_gethostbyname(const char *name);
struct servent *__wrap_getservbyname(const char *name, const char *protocol);
int __wrap_getservbyport_r(int port, const char *protocol,
	struct servent *entry, char *buf, size_t len, struct servent **result);
void *__wrap_dlopen(const char *path, int mode);
void *__wrap_dlsym(void *restrict handle, const char *restrict name);
int __wrap_dladdr(const void *address, Dl_info *info);
int __wrap_dlclose(void *handle);
char *__wrap_dlerror(void);

int __wrap_getaddrinfo(const char *name, const char *service,
	const struct addrinfo *hints, struct addrinfo **result)
{
	(void)name;
	(void)service;
	(void)hints;
	*result = NULL;
	return EAI_FAIL;
}

void __wrap_freeaddrinfo(struct addrinfo *list)
{
	(void)list;
}

int __wrap_getnameinfo(const struct sockaddr *address, socklen_t address_len,
	char *host, socklen_t host_len, char *service, socklen_t service_len,
	int flags)
{
	(void)address;
	(void)address_len;
	(void)host;
	(void)host_len;
	(void)service;
	(void)service_len;
	(void)flags;
	return EAI_FAIL;
}

struct hostent *__wrap_gethostbyname(const char *name)
{
	(void)name;
	h_errno = NO_RECOVERY;
	return NULL;
}

struct servent *__wrap_getservbyname(const char *name, const char *protocol)
{
	(void)name;
	(void)protocol;
	return NULL;
}

int __wrap_getservbyport_r(int port, const char *protocol,
	struct servent *entry, char *buf, size_t len, struct servent **result)
{
	(void)port;
	(void)protocol;
	(void)entry;
	(void)buf;
	(void)len;
	*result = NULL;
	return ENOENT;
}

void *__wrap_dlopen(const char *path, int mode)
{
	(void)path;
	(void)mode;
	return NULL;
}

void *__wrap_dlsym(void *restrict handle, const char *restrict name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int __wrap_dladdr(const void *address, Dl_info *info)
{
	(void)address;
	(void)info;
	return 0;
}

int __wrap_dlclose(void *handle)
{
	(void)handle;
	return -1;
}

char *__wrap_dlerror(void)
{
	return "a static program loads nothing";
}
