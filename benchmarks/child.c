/* What the benchmark starts in a harness's place.
 *
 *     child NOTE LINES LOG_DIR TICK_S LIVE_S
 *
 * Prints LINES lines of 100 bytes, one write each; prints the marker; logs to LOG_DIR
 * at once, as LoadGen does, that the first query is issued; writes into the file NOTE
 * when it began and when that was logged (CLOCK_MONOTONIC, which all processes share);
 * and lives on for LIVE_S seconds, printing a line every TICK_S seconds (0: none).
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + t.tv_nsec / 1e9;
}

static void wait_for(double seconds)
{
    struct timespec t;
    t.tv_sec = (time_t)seconds;
    t.tv_nsec = (long)((seconds - t.tv_sec) * 1e9);
    nanosleep(&t, NULL);
}

static FILE *open_for_writing(const char *path)
{
    FILE *file = fopen(path, "w");
    if (!file) {
        perror(path);
        exit(2);
    }
    return file;
}

static FILE *open_log(const char *folder)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/mlperf_log_detail.txt", folder);
    return open_for_writing(path);
}

static void log_first_query(FILE *log)
{
    fputs(":::MLLOG {\"key\": \"generated_query_count\", \"value\": 1, "
          "\"time_ms\": 0.1}\n", log);
    fflush(log);
}

int main(int argc, char **argv)
{
    double began = now();
    if (argc != 6) {
        fputs("usage: child NOTE LINES LOG_DIR TICK_S LIVE_S\n", stderr);
        return 2;
    }
    long lines = atol(argv[2]);
    double tick = atof(argv[4]), live = atof(argv[5]);
    char line[101];

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* on a pipe too */
    memset(line, 'x', 99);
    strcpy(line + 99, "\n");
    for (long i = 0; i < lines; i++)
        fputs(line, stdout);
    FILE *log = open_log(argv[3]), *note = open_for_writing(argv[1]);
    puts("Starting running actual test.");
    double issued = now();
    log_first_query(log);
    fprintf(note, "%.6f %.6f\n", began, issued);
    fclose(note);

    double end = now() + live;
    while (now() < end) {
        wait_for(tick > 0 ? tick : end - now());
        if (tick > 0)
            fputs(line, stdout);
    }
    return 0;
}
