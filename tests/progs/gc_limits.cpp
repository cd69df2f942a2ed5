// GOGC and GOMEMLIMIT, by their environment variables and by SetGCPercent and SetMemoryLimit: what they return, how often
// is collected, how much is held.
// CLAIMS: [C54]
// PROCS: 1 2
// TIMEOUT: 60
// STDOUT: percent ok
// STDOUT: off ok
// STDOUT: limit ok
// STDOUT: between cycles ok
#include <boot/boot.h>

#include <array>

static void check(bool ok, const char* what, std::int64_t a = 0, std::int64_t b = 0) {
  if (!ok) boot::panic(fmt::format("{}: {} {}", what, a, b));
}
static runtime::MemStats read() {
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  return m;
}
// 64 KB each, without pointers.
[[gnu::noinline]] static std::uint32_t garbage(std::uint64_t bytes) {
  std::uint32_t before = read().NumGC;
  for (std::uint64_t n = 0; n < bytes; n += 64 << 10) boot::make_slice<char>(64 << 10)[100] = 1;
  return read().NumGC - before;
}

void main_main() {
  using runtime::debug::SetGCPercent;
  using runtime::debug::SetMemoryLimit;
  if (boot::os::Args().size() > 1) {  // what the environment has set
    auto limit = SetMemoryLimit(-1);
    boot::println("{} {}", SetGCPercent(100), limit);
    return;
  }
  check(SetGCPercent(50) == 100 && SetGCPercent(400) == 50 && SetGCPercent(-7) == 400 && SetGCPercent(100) == -1,
        "old");
  check(SetMemoryLimit(-1) == INT64_MAX, "old limit");

  // 20 MB live: at 100 % a cycle for each 20 MB, at 25 % for each 5 MB.
  auto live = boot::make_slice<char>(20 << 20);
  live[0] = 1;
  runtime::GC();
  std::int64_t at100 = garbage(200 << 20);
  check(at100 >= 8 && at100 <= 11, "cycles at 100 %", at100);
  check(read().NextGC >= 40 << 20 && read().NextGC <= 48 << 20, "NextGC", static_cast<std::int64_t>(read().NextGC));
  SetGCPercent(25);
  runtime::GC();
  std::int64_t at25 = garbage(200 << 20);
  check(at25 >= 30 && at25 <= 42, "cycles at 25 %", at25);
  boot::println("percent ok");

  SetGCPercent(-1);
  check(garbage(100 << 20) == 0, "a cycle without GOGC");
  boot::println("off ok");

  runtime::GC();
  check(SetMemoryLimit(64 << 20) == INT64_MAX && SetMemoryLimit(-1) == 64 << 20, "limit's old values");
  std::int64_t cycles = garbage(400 << 20);
  runtime::GC();  // what is free above the limit goes back in a cycle; between two, growth may be ahead of it
  runtime::GC();
  runtime::MemStats m = read();
  std::uint64_t held = m.HeapSys - m.HeapReleased + m.OtherSys;
  check(cycles >= 8 && held <= 64 << 20, "held under the limit", cycles, static_cast<std::int64_t>(held));
  check(live[0] == 1, "live");
  boot::println("limit ok");

  // The limit is looked at between cycles, too. After the last one 60 MB were left for objects; now 30 MB of operator new
  // join them, and the collections follow.
  SetGCPercent(-1);
  runtime::GC();
  std::uint32_t before = read().NumGC;
  auto manual = new char[30 << 20];
  for (int i = 0; i < 30 << 20; i += 4096) manual[i] = 1;
  std::uint64_t most = 0;
  for (int i = 0; i < 20; i++) {
    garbage(5 << 20);
    m = read();
    most = std::max(most, m.HeapSys - m.HeapReleased + m.OtherSys);
  }
  check(most <= 66 << 20 && m.NumGC >= before + 2, "held with memory of operator new", static_cast<std::int64_t>(most),
        m.NumGC - before);
  delete[] manual;
  boot::println("between cycles ok");
}
