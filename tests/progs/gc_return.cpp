// Memory goes back to the kernel: all of it at once by FreeOSMemory, and by bgscavenge at its pace. And the heap takes it
// up again, cleared.
// CLAIMS: [C54]
// PROCS: 1 2
// TIMEOUT: 120
// STDOUT: at once
// STDOUT: by and by
// STDOUT: again
#include <boot/boot.h>

#include <charconv>

static std::int64_t residentKB() {
  std::string text = boot::os::ReadFile("/proc/self/status");
  std::size_t at = text.find("VmRSS:") + 6;
  while (text[at] == ' ' || text[at] == '\t') at++;
  std::int64_t kb = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kb);
  return kb;
}
static void check(bool ok, const char* what, std::int64_t a = 0, std::int64_t b = 0) {
  if (!ok) boot::panic(fmt::format("{}: {} {}", what, a, b));
}

constexpr std::int64_t kMB = 100;

// 100 MB in blocks of 100 KB, every word written.
[[gnu::noinline]] static void use() {
  constexpr std::size_t kWords = 12800;
  auto keep = boot::make_slice<std::uint64_t*>(kMB * 10);
  for (auto& p : keep) {
    auto s = boot::make_slice<std::uint64_t>(kWords);
    for (auto& w : s) {
      check(w == 0, "not zeroed");
      w = ~std::uint64_t{0};
    }
    p = s.data();
  }
  check(residentKB() > kMB * 1000, "in use", residentKB());
}
// On a goroutine of its own, whose stack keeps nothing.
static void apart() {
  auto done = boot::make_chan<int>();
  boot::go([=] {
    use();
    done.send(1);
  });
  done.recv();
}

void main_main() {
  std::int64_t before = residentKB();
  apart();
  runtime::debug::FreeOSMemory();
  std::int64_t after = residentKB();
  check(after < before + 12 * 1024, "kept after FreeOSMemory", before, after);
  boot::println("at once");

  apart();
  runtime::GC();  // lets the scavenger know that the heap has become small
  auto begin = boot::time::Now();
  while (residentKB() > before + 12 * 1024) boot::time::Sleep(std::chrono::milliseconds(5));
  // At most a hundredth of a processor: some 1 ms for each 256 KB, so that the program does not feel it.
  check(boot::time::Since(begin) > std::chrono::milliseconds(100), "too fast");
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  check(m.HeapReleased > 80u << 20, "HeapReleased", static_cast<std::int64_t>(m.HeapReleased >> 20));
  boot::println("by and by");

  apart();
  boot::println("again");
}
