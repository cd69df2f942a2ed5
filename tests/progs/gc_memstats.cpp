// ReadMemStats: what its fields mean, by what the program has just done.
// CLAIMS: [C54]
// PROCS: 1 2 8
// STDOUT: ok
#include <boot/boot.h>

#include <array>

static runtime::MemStats read() {
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  return m;
}
static void check(bool ok, const char* what, std::uint64_t a = 0, std::uint64_t b = 0) {
  if (!ok) boot::panic(fmt::format("{}: {} {}", what, a, b));
}
static void sane(const runtime::MemStats& m) {
  check(m.HeapObjects == m.Mallocs - m.Frees, "HeapObjects", m.HeapObjects, m.Mallocs - m.Frees);
  check(m.HeapAlloc == m.Alloc && m.HeapAlloc <= m.TotalAlloc, "HeapAlloc", m.HeapAlloc, m.TotalAlloc);
  check(m.HeapSys == m.HeapIdle + m.HeapInuse, "HeapSys", m.HeapSys, m.HeapIdle + m.HeapInuse);
  check(m.HeapReleased <= m.HeapIdle, "HeapReleased", m.HeapReleased, m.HeapIdle);
  check(m.HeapAlloc + m.ManualInuse <= m.HeapInuse, "HeapInuse", m.HeapAlloc + m.ManualInuse, m.HeapInuse);
  check(m.Sys == m.HeapSys + m.StackSys + m.OtherSys, "Sys", m.Sys);
  check(m.StackInuse != 0 && m.StackInuse <= m.StackSys, "StackInuse", m.StackInuse, m.StackSys);
  check(m.NumForcedGC <= m.NumGC, "NumGC", m.NumGC, m.NumForcedGC);
  check(m.EnableGC && m.GCCPUFraction >= 0 && m.GCCPUFraction < 1, "GCCPUFraction");
  check(m.NextGC >= 4u << 20, "NextGC", m.NextGC);
}

using Small = std::array<std::uint64_t*, 8>;  // 64 bytes, a size class of its own
constexpr std::uint64_t kSmall = 10000;

[[gnu::noinline]] static void fill() {
  auto* keep = boot::New<std::array<Small*, kSmall>>();
  for (auto& s : *keep) s = boot::New<Small>();
  check((*keep)[kSmall - 1] != nullptr, "keep");
}

// On a goroutine of its own, whose stack keeps nothing.
static void apart() {
  auto done = boot::make_chan<int>();
  boot::go([=] {
    fill();
    done.send(1);
  });
  done.recv();
}

void main_main() {
  runtime::debug::SetGCPercent(-1);  // nothing is freed but by what is below
  runtime::GC();
  runtime::MemStats a = read();
  sane(a);
  apart();
  runtime::MemStats b = read();
  sane(b);
  check(b.Mallocs - a.Mallocs - (kSmall + 1) <= 2, "Mallocs", b.Mallocs - a.Mallocs);
  check(b.Frees == a.Frees, "Frees", b.Frees, a.Frees);
  std::uint64_t table = (kSmall * 8 + 8191) / 8192 * 8192;
  check(b.TotalAlloc - a.TotalAlloc - (kSmall * 64 + table) <= 256, "TotalAlloc", b.TotalAlloc - a.TotalAlloc);
  check(b.NumGC == a.NumGC, "no collection", b.NumGC, a.NumGC);

  runtime::GC();
  runtime::MemStats c = read();
  sane(c);
  check(c.NumGC == b.NumGC + 1 && c.NumForcedGC == b.NumForcedGC + 1, "forced", c.NumGC, b.NumGC);
  check(c.Frees - b.Frees > kSmall * 9 / 10, "freed", c.Frees - b.Frees);
  check(c.TotalAlloc == b.TotalAlloc && c.Mallocs == b.Mallocs, "a collection allocates nothing", c.Mallocs, b.Mallocs);
  check(c.PauseTotalNs > b.PauseTotalNs, "PauseTotalNs");
  check(c.PauseNs[(c.NumGC + 255) % 256] == c.PauseTotalNs - b.PauseTotalNs, "PauseNs");
  check(c.PauseEnd[(c.NumGC + 255) % 256] == c.LastGC && c.LastGC > b.LastGC, "LastGC", c.LastGC, b.LastGC);

  auto big = boot::make_slice<char>(10 << 20);
  runtime::MemStats d = read();
  sane(d);
  check(d.HeapAlloc - c.HeapAlloc == 10 << 20, "large", d.HeapAlloc - c.HeapAlloc);
  check(d.HeapInuse - c.HeapInuse >= 10 << 20, "large in use", d.HeapInuse - c.HeapInuse);
  big[5] = 1;
  auto* manual = new char[1 << 20];
  runtime::MemStats e = read();
  sane(e);
  check(e.ManualInuse - d.ManualInuse == 1 << 20 && e.HeapAlloc == d.HeapAlloc, "manual", e.ManualInuse, d.ManualInuse);
  manual[0] = big[5];
  delete[] manual;
  check(read().ManualInuse == d.ManualInuse, "manual freed");

  // Tiny objects share blocks; each counts.
  for (int i = 0; i < 1000; i++) *boot::New<std::uint8_t>() = 1;
  runtime::MemStats f = read();
  check(f.Mallocs - e.Mallocs >= 1000 && f.TotalAlloc - e.TotalAlloc <= 2048, "tiny", f.Mallocs - e.Mallocs,
        f.TotalAlloc - e.TotalAlloc);
  boot::println("ok");
}
