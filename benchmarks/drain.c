/* The barest reader of several children: drain FD... reads them all and keeps nothing. */
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

enum { MOST = 64 };

int main(int argc, char **argv)
{
    static char bytes[65536];
    struct pollfd ends[MOST];
    int count = argc - 1, open_ends = count;

    if (count > MOST)
        return 2;
    for (int i = 0; i < count; i++)
        ends[i] = (struct pollfd){.fd = atoi(argv[i + 1]), .events = POLLIN};
    while (open_ends && poll(ends, count, -1) > 0)
        for (int i = 0; i < count; i++)
            if (ends[i].revents && read(ends[i].fd, bytes, sizeof bytes) <= 0) {
                ends[i].fd = -1; /* EIO: no process has the pty open any more */
                open_ends--;
            }
    return 0;
}
