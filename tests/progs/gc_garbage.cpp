// 4 GB of garbage over 20 MB live: at most 150 MB resident.
// CLAIMS: [C54]
// PROCS: 1 2
// TIMEOUT: 120
// STDOUT-MATCH: ^ok
#include <boot/boot.h>

#include <charconv>
#include <cstring>

struct Node {
  Node* next;
  std::uint64_t value = 0, pad[6] = {};
};

static std::int64_t peakKB() {
  std::string text = boot::os::ReadFile("/proc/self/status");
  std::size_t at = text.find("VmHWM:") + 6;
  while (text[at] == ' ' || text[at] == '\t') at++;
  std::int64_t kb = 0;
  std::from_chars(text.data() + at, text.data() + text.size(), kb);
  return kb;
}

void main_main() {
  constexpr std::uint64_t kLive = (20 << 20) / sizeof(Node);
  Node* head = nullptr;
  for (std::uint64_t i = 0; i < kLive; i++) head = boot::New<Node>(head, i);
  std::uint64_t total = 0, n = 0;
  static constexpr std::size_t sizes[] = {16, 48, 64, 200, 256, 1000, 4096, 30000, 100000, 1 << 20};
  std::uint64_t sum = 0;
  for (; total < std::uint64_t{4} << 30; n++) {
    std::size_t size = sizes[n % 100 == 0 ? 9 : n % 9 * (n % 3 == 0)];
    auto s = boot::make_slice<std::uint8_t>(size);
    s[size - 1] = 1;
    sum += s[0] + s[size - 1];
    total += size;
  }
  if (sum != n) boot::panic("memory not zeroed");
  std::uint64_t k = kLive;
  for (Node* p = head; p != nullptr; p = p->next)
    if (p->value != --k) boot::panic("a live object was overwritten");
  if (k != 0) boot::panic("live objects lost");
  std::int64_t peak = peakKB();
  runtime::MemStats m;
  runtime::ReadMemStats(&m);
  if (peak > 150 * 1024) boot::panic(fmt::format("{} KB resident", peak));
  boot::println("ok {} MB resident, {} collections, {} ms stopped", peak / 1024, m.NumGC, m.PauseTotalNs / 1000000);
}
