// Wall time of posix_spawn + wait for several programs, interleaved.
//   launch RUNS PROGRAM...     a program "VAR=VALUE@PATH" gets that variable
// Prints one line of JSON a program: medians over RUNS, and the peak RSS, which
// is VmHWM read under ptrace as one more run exits.
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int64_t nanos(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}
static int byValue(const void* a, const void* b) {
  int64_t x = *(const int64_t*)a, y = *(const int64_t*)b;
  return (x > y) - (x < y);
}

static long peakKb(char* path, char** env) {
  int status;
  long kb = -1;
  pid_t pid = fork();
  if (pid == 0) {
    char* args[] = {path, NULL};
    dup2(open("/dev/null", O_WRONLY), 1);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    execve(path, args, env);
    _exit(127);
  }
  waitpid(pid, &status, 0);  // stopped by the exec
  ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACEEXIT);
  for (long sig = 0;;) {
    ptrace(PTRACE_CONT, pid, 0, sig);
    if (waitpid(pid, &status, __WALL) != pid || !WIFSTOPPED(status)) return kb;
    sig = 0;
    if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXIT << 8)) {
      char name[64], line[256];
      snprintf(name, sizeof name, "/proc/%d/status", pid);
      FILE* f = fopen(name, "r");
      while (f && fgets(line, sizeof line, f)) sscanf(line, "VmHWM: %ld", &kb);
      if (f) fclose(f);
    } else if (WSTOPSIG(status) != SIGTRAP) {
      sig = WSTOPSIG(status);
    }
  }
}

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  int runs = atoi(argv[1]), programs = argc - 2;
  int64_t* wall = calloc((size_t)runs * programs, sizeof *wall);
  posix_spawn_file_actions_t quiet;
  posix_spawn_file_actions_init(&quiet);
  posix_spawn_file_actions_addopen(&quiet, 1, "/dev/null", O_WRONLY, 0);
  for (int r = -5; r < runs; r++)  // the first five are warm-up
    for (int p = 0; p < programs; p++) {
      char *at = strchr(argv[p + 2], '@'), *path = at ? at + 1 : argv[p + 2];
      char* setting = at ? strndup(argv[p + 2], at - argv[p + 2]) : NULL;
      char *args[] = {path, NULL}, *env[] = {setting, NULL};
      pid_t pid;
      int status;
      int64_t start = nanos();
      if (posix_spawn(&pid, path, &quiet, NULL, args, env) || waitpid(pid, &status, 0) != pid || status != 0) {
        fprintf(stderr, "launch: %s failed\n", path);
        return 1;
      }
      int64_t took = nanos() - start;
      free(setting);
      if (r >= 0) wall[(size_t)p * runs + r] = took;
    }
  for (int p = 0; p < programs; p++) {
    int64_t* w = wall + (size_t)p * runs;
    char *at = strchr(argv[p + 2], '@'), *env[] = {NULL, NULL};
    if (at) env[0] = strndup(argv[p + 2], at - argv[p + 2]);
    long rss = peakKb(at ? at + 1 : argv[p + 2], env);
    free(env[0]);
    qsort(w, runs, sizeof *w, byValue);
    printf(
        "{\"bench\": \"startup\", \"ops\": %d, \"ns_per_op\": %lld, \"extra\": {\"program\": \"%s\", "
        "\"p10_us\": %.1f, \"p90_us\": %.1f, \"min_us\": %.1f, \"peak_rss_kb\": %ld}}\n",
        runs, (long long)w[runs / 2], argv[p + 2], w[runs / 10] / 1e3, w[runs * 9 / 10] / 1e3, w[0] / 1e3, rss);
  }
  return 0;
}
