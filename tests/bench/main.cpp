// bench -bench NAME -n N [-p PROCS] [-warm N]: runs one benchmark and prints one line of JSON,
// {"bench","ops","ns_per_op","extra"}, as the programs of the other runtimes do. Every benchmark runs once with -warm
// operations (0 = none) before the timed run of -n operations.
#include "bench.h"

#include <charconv>
#include <cstring>
#include <string_view>

namespace bench {

struct entry {
  const char* name;
  result (*fn)(std::int64_t);
};
static constexpr entry benchmarks[] = {
    {"yield", yield},           {"spawn", spawn},       {"chan_pingpong", pingpong}, {"chan_buffered", buffered},
    {"chan_mpmc", mpmc},        {"select", select},     {"skynet", skynet},          {"parked", parked},
    {"mutex", mutex},           {"sleepers", sleepers}, {"fib_spawn", fib_spawn},    {"sieve", sieve},
    {"trees", trees},           {"alloc16", alloc16},   {"alloc64", alloc64},        {"alloc256", alloc256},
    {"allocptr64", allocptr64}, {"clock", looks},
};

std::int64_t statusKB(const char* field) {
  std::string text = boot::os::ReadFile("/proc/self/status");
  std::size_t at = text.find(field);
  if (at == std::string::npos) boot::panic(std::string("bench: no ") + field);
  at += std::strlen(field);
  while (text[at] == ' ' || text[at] == '\t') at++;
  std::int64_t kb = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kb);
  return kb;
}

// Processor time of the whole process so far, in ms: utime and stime, in clock ticks of 10 ms, will not do; schedstat's
// first field is nanoseconds but of one thread only, so the threads are added up.
static double cpuMs() {
  struct timespec_ {
    long sec, nsec;
  } t{};
  register long nr __asm__("rax") = 228;  // clock_gettime(CLOCK_PROCESS_CPUTIME_ID)
  register long id __asm__("rdi") = 2;
  register timespec_* p __asm__("rsi") = &t;
  __asm__ volatile("syscall" : "+r"(nr) : "r"(id), "r"(p) : "rcx", "r11", "memory");
  return static_cast<double>(t.sec) * 1e3 + static_cast<double>(t.nsec) / 1e6;
}

[[noreturn]] static void usage(const std::string& why) {
  boot::eprintln("bench: {}", why);
  std::string all;
  for (auto& b : benchmarks) all += std::string(" ") + b.name;
  boot::eprintln("usage: bench -bench NAME -n N [-p PROCS] [-warm N]\nbenchmarks:{}", all);
  boot::os::Exit(2);
}

static std::int64_t number(std::string_view flag, const char* text) {
  std::int64_t v = 0;
  auto [end, err] = std::from_chars(text, text + std::strlen(text), v);
  if (err != std::errc() || *end != 0 || v < 0) usage(fmt::format("invalid value \"{}\" for flag {}", text, flag));
  return v;
}

static void run(const entry& b, std::int64_t n, std::int64_t procs, std::int64_t warm) {
  runtime::GOMAXPROCS(static_cast<int>(procs));
  if (warm > 0) b.fn(warm);
  double cpu = cpuMs();
  result r = b.fn(n);
  cpu = cpuMs() - cpu;
  r.extra["p"] = static_cast<double>(procs);
  r.extra["ms"] = ms(r.took);
  r.extra["cpu_ms"] = cpu;
  r.extra["peak_rss_kb"] = static_cast<double>(statusKB("VmHWM:"));
  std::string extra;
  for (auto& [k, v] : r.extra) extra += fmt::format("{}\"{}\": {:.6g}", extra.empty() ? "" : ", ", k, v);
  boot::println("{{\"bench\": \"{}\", \"ops\": {}, \"ns_per_op\": {:.3f}, \"extra\": {{{}}}}}", b.name, r.ops,
                static_cast<double>(r.took.count()) / static_cast<double>(r.ops), extra);
}

}  // namespace bench

void main_main() {
  using namespace bench;
  auto args = boot::os::Args();
  std::string_view name;
  std::int64_t n = 1000, procs = 1, warm = 0;
  for (std::size_t i = 1; i < args.size(); i += 2) {
    std::string_view flag = args[i];
    if (flag.starts_with("--")) flag.remove_prefix(1);
    if (i + 1 >= args.size()) usage(fmt::format("flag needs an argument: {}", flag));
    const char* v = args[i + 1];
    if (flag == "-bench")
      name = v;
    else if (flag == "-n")
      n = number(flag, v);
    else if (flag == "-p")
      procs = number(flag, v);
    else if (flag == "-warm")
      warm = number(flag, v);
    else
      usage(fmt::format("flag provided but not defined: {}", flag));
  }
  for (auto& b : benchmarks)
    if (name == b.name) return run(b, n, procs, warm);
  usage(fmt::format("no benchmark \"{}\"", name));
}
