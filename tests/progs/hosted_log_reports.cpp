// The runtime's own reports as lines of boot::log(): schedtrace as debug, a panic as critical, and printed as ever.
// HOSTED: only
// PROCS: 1 2 8
// TIMEOUT: 30
// ENV: GODEBUG=schedtrace=1
// EXIT: 2
// STDERR-MATCH: ^\d\d:\d\d:\d\d\.\d\d\d g- m- p- debug: SCHED \d+ms: gomaxprocs=\d+ .*\]$
// STDERR-MATCH: g1 m\d+ p\d+ info: slept$
// STDERR-MATCH: g- m- p- critical: panic: boom$
// STDERR-MATCH: ^panic: boom$
// STDERR-MATCH: ^goroutine 1 \[running\]:$
#include <boot/boot.h>
#include <boot/log.h>

void main_main() {
  boot::log().set_level(spdlog::level::trace);
  boot::log_reports();
  boot::time::Sleep(std::chrono::milliseconds(50));
  boot::log().info("slept");
  boot::log().flush();  // the end by a panic does not wait for what is queued
  boot::panic("boom");
}
