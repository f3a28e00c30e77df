/* The compiled program at the end of a harness's tree: it loads nothing, and stays.

   load COUNTER [chatty] [deaf] [session] [daemon] [bare] [nobody]

   COUNTER  a file that holds, as a native long, the number of lines written so far
   chatty   write "load 1", "load 2"... a line a millisecond; silent without it
   deaf     ignore SIGHUP, SIGTERM and SIGINT
   session  move into a session of its own
   daemon   leave its parent, session and terminal behind
   bare     let go of its environment, files and folder
   nobody   become another user, as sudo does
*/
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int asked(int argc, char **argv, const char *word)
{
    for (int i = 2; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return 1;
    return 0;
}

static void leave(void)
{
    if (fork() > 0)
        _exit(0);
    setsid();
    if (fork() > 0)
        _exit(0);
    int null = open("/dev/null", O_RDWR);
    for (int fd = 0; fd < 3; fd++)
        dup2(null, fd);
}

int main(int argc, char **argv)
{
    if (asked(argc, argv, "bare") && environ[0]) {
        char *none[] = {0};
        if (asked(argc, argv, "daemon"))
            leave();
        for (int fd = 3; fd < 1024; fd++)
            close(fd);
        execve("/proc/self/exe", argv, none);
        return 1;
    }
    if (asked(argc, argv, "deaf")) {
        signal(SIGHUP, SIG_IGN);
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
    }
    if (asked(argc, argv, "daemon") && !asked(argc, argv, "bare"))
        leave();
    if (asked(argc, argv, "session"))
        setsid();
    int file = open(argv[1], O_RDWR | O_CREAT, 0644);
    if (file < 0 || ftruncate(file, sizeof(long)))
        return 1;
    volatile long *count =
        mmap(NULL, sizeof(long), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (asked(argc, argv, "nobody") && setuid(65534))
        return 1;
    if (asked(argc, argv, "bare") && (close(file) || chdir("/")))
        return 1;
    if (!asked(argc, argv, "chatty"))
        for (;;)
            pause();
    for (;;) {
        char line[32];
        int size = snprintf(line, sizeof line, "load %ld\n", *count + 1);
        if (write(1, line, size) == size)
            ++*count;
        usleep(1000);
    }
}
