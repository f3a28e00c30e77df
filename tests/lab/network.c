/* Preloaded: every process writes which hosts it looks up, connects or sends to.
 *
 *     LD_PRELOAD=network.so NETWORK_TOLD=file program
 *
 * Loopback and Unix sockets are no network. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

static void tell(const char *how, const char *host)
{
    int before = errno;
    const char *path = getenv("NETWORK_TOLD");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s: %s %s\n", program_invocation_short_name, how, host);
        fclose(file);
    }
    errno = before;
}

static void tell_address(const char *how, const struct sockaddr *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address && address->sa_family == AF_INET) {
        const struct in_addr *in = &((const struct sockaddr_in *)address)->sin_addr;
        if (ntohl(in->s_addr) >> 24 != 127)
            tell(how, inet_ntop(AF_INET, in, host, sizeof host));
    } else if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *in = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (!IN6_IS_ADDR_LOOPBACK(in))
            tell(how, inet_ntop(AF_INET6, in, host, sizeof host));
    }
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    int (*real)(int, const struct sockaddr *, socklen_t) =
        (int (*)(int, const struct sockaddr *, socklen_t))dlsym(RTLD_NEXT, "connect");
    tell_address("connects to", address);
    return real(fd, address, length);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags,
               const struct sockaddr *address, socklen_t length)
{
    ssize_t (*real)(int, const void *, size_t, int, const struct sockaddr *,
                    socklen_t) =
        (ssize_t (*)(int, const void *, size_t, int, const struct sockaddr *,
                     socklen_t))dlsym(RTLD_NEXT, "sendto");
    tell_address("sends to", address);
    return real(fd, data, size, flags, address, length);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **) =
        (int (*)(const char *, const char *, const struct addrinfo *,
                 struct addrinfo **))dlsym(RTLD_NEXT, "getaddrinfo");
    if (host && strcmp(host, "localhost") && strncmp(host, "127.", 4) &&
        strcmp(host, "::1"))
        tell("looks up", host);
    return real(host, service, hints, found);
}
