/* Preloaded: there is no network, and every process that wants it is told of.
 *
 *     LD_PRELOAD=network.so NETWORK_TOLD=file program
 *
 * Loopback and Unix sockets are none. */
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

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static void tell(const char *how, const char *host)
{
    const char *path = getenv("NETWORK_TOLD");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s: %s %s\n", program_invocation_short_name, how, host);
        fclose(file);
    }
}

static int is_out(const char *how, const struct sockaddr *address)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (address && address->sa_family == AF_INET) {
        const struct in_addr *in = &((const struct sockaddr_in *)address)->sin_addr;
        if (ntohl(in->s_addr) >> 24 == 127)
            return 0;
        inet_ntop(AF_INET, in, host, sizeof host);
    } else if (address && address->sa_family == AF_INET6) {
        const struct in6_addr *in = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_LOOPBACK(in))
            return 0;
        inet_ntop(AF_INET6, in, host, sizeof host);
    } else {
        return 0;
    }
    tell(how, host);
    errno = ENETUNREACH;
    return 1;
}

static int is_asked(const char *host)
{
    if (!host || !strcmp(host, "localhost") || !strncmp(host, "127.", 4) ||
        !strcmp(host, "::1"))
        return 0;
    tell("looks up", host);
    return 1;
}

int connect(int fd, const struct sockaddr *address, socklen_t length)
{
    return is_out("connects to", address) ? -1 : REAL(connect)(fd, address, length);
}

ssize_t sendto(int fd, const void *data, size_t size, int flags,
               const struct sockaddr *address, socklen_t length)
{
    if (is_out("sends to", address))
        return -1;
    return REAL(sendto)(fd, data, size, flags, address, length);
}

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
    if (is_out("sends to", message->msg_name))
        return -1;
    return REAL(sendmsg)(fd, message, flags);
}

int sendmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags)
{
    for (unsigned int i = 0; i < count; i++)
        if (is_out("sends to", messages[i].msg_hdr.msg_name))
            return -1;
    return REAL(sendmmsg)(fd, messages, count, flags);
}

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                struct addrinfo **found)
{
    if (is_asked(host))
        return EAI_FAIL;
    return REAL(getaddrinfo)(host, service, hints, found);
}

int gethostbyname_r(const char *host, struct hostent *entry, char *room, size_t size,
                    struct hostent **found, int *error)
{
    if (!is_asked(host))
        return REAL(gethostbyname_r)(host, entry, room, size, found, error);
    *found = NULL;
    *error = NO_RECOVERY;
    return 0;
}

int gethostbyaddr_r(const void *address, socklen_t length, int family,
                    struct hostent *entry, char *room, size_t size,
                    struct hostent **found, int *error)
{
    char host[INET6_ADDRSTRLEN] = "";
    if (!is_asked(inet_ntop(family, address, host, sizeof host)))
        return REAL(gethostbyaddr_r)(address, length, family, entry, room, size, found,
                                     error);
    *found = NULL;
    *error = NO_RECOVERY;
    return 0;
}
