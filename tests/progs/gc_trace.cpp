// GODEBUG=gctrace=1 in Go's format: collections that allocation begins, one that the program asks for, and one that
// sysmon asks for when there has been none for two minutes (here: 20 ms).
// CLAIMS: [C54]
// PROCS: 1 2
// ENV: GODEBUG=gctrace=1
// STDERR-MATCH: ^gc 1 @\d+\.\d{3}s \d+%: [\d.]+\+[\d.]+\+[\d.]+ ms clock, [\d.]+\+[\d.]+/[\d.]+/[\d.]+\+[\d.]+ ms cpu, \d+->\d+->0 MB, 4 MB goal, \d+ MB stacks, \d+ MB globals, \d+ P$
// STDERR-MATCH: ^gc 2 @\d+\.\d{3}s \d+%: .* P$
// STDERR-MATCH: ^gc \d+ @.* [1-9]\d*->[1-9]\d*->[1-9]\d* MB, .* P \(forced\)$
// STDERR-MATCH: ^GC forced$
// STDERR-MATCH: ^gc \d+ @.* P$
// STDOUT: forced 1
#include <boot/boot.h>

#include <array>

extern std::int64_t forcegcperiod __asm__("runtime.forcegcperiod");

static std::uint32_t collections() {
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  return m.NumGC;
}

void main_main() {
  using Block = std::array<std::uint64_t, 512>;
  for (int i = 0; i < 4000; i++) boot::New<Block>();
  auto* keep = boot::New<std::array<Block*, 1000>>();
  for (auto& b : *keep) b = boot::New<Block>();
  runtime::GC();
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  boot::println("forced {}", m.NumForcedGC);
  __atomic_store_n(&forcegcperiod, std::int64_t{20'000'000}, __ATOMIC_RELAXED);
  while (collections() == m.NumGC) boot::time::Sleep(std::chrono::milliseconds(5));
  if ((*keep)[999] == nullptr) boot::panic("lost");
}
