// What code without the prologue's check uses of a stack: the runtime's entries and a throw are called on a painted
// stack, and the paint tells how deep each went. All must fit into the slack below the guard, with room for a signal's
// preemption.
// CLAIMS: [C42]
// PROCS: 1 2
// TIMEOUT: 60
// STDOUT-MATCH: ^all within \d+ of 16384: .*throw \d+
#include "claims.h"

#include <mutex>
#include <stdexcept>

namespace {

constexpr std::uint64_t kPaint = 0x7061696e74656421;
// asyncPreempt: 14 registers, and the processor's state (xsave) with all that AVX-512 has.
constexpr runtime::uintptr kPreempt = 4096;

std::string report;
runtime::uintptr worst;

// The goroutine's slot below this frame is painted, f runs, and what is no longer paint was used.
template <class F>
[[gnu::noinline]] void measure(const char* name, F f) {
  runtime::g* gp = runtime::getg();
  auto* lo = reinterpret_cast<volatile std::uint64_t*>(gp->stackbase + runtime::kStackGuardRegion);
  runtime::uintptr sp;
  __asm__ volatile("mov %%rsp, %0" : "=r"(sp));
  auto* hi = reinterpret_cast<volatile std::uint64_t*>((sp & ~runtime::uintptr{7}) - 512);
  for (auto* p = lo; p < hi; p++) *p = kPaint;
  f();
  auto* p = lo;
  while (p < hi && *p == kPaint) p++;
  runtime::uintptr used = sp - reinterpret_cast<runtime::uintptr>(p);
  if (used > worst) worst = used;
  report += fmt::format(" {} {}", name, used);
}

template <class F>
void entry(const char* name, F f) {
  auto done = boot::make_chan<int>();
  boot::go([=] {
    measure(name, f);
    done.send(1);
  });
  done.recv();
}

struct Node {
  Node* next;
};

[[gnu::noinline]] void raise() { throw std::runtime_error("raised"); }

}  // namespace

void main_main() {
  using namespace std::chrono_literals;
  entry("send", [] {
    auto c = boot::make_chan<int>();
    boot::go([=] { c.recv(); });
    c.send(1);
  });
  entry("recv", [] {
    auto c = boot::make_chan<int>();
    boot::go([=] { c.send(1); });
    c.recv();
  });
  entry("select", [] {
    auto c = boot::make_chan<int>(), d = boot::make_chan<int>();
    boot::go([=] { c.send(1); });
    boot::select(boot::on_recv(c, [](int) {}), boot::on_recv(d, [](int) {}));
  });
  entry("Gosched", [] { runtime::Gosched(); });
  entry("Sleep", [] { boot::time::Sleep(1ms); });
  entry("Mutex", [] {
    boot::sync::Mutex mu;
    mu.Lock();
    boot::go([&] {
      runtime::Gosched();
      mu.Unlock();
    });
    mu.Lock();
    mu.Unlock();
  });
  entry("std::mutex", [] {
    std::mutex mu;
    std::lock_guard l(mu);
  });
  entry("New", [] {
    for (int i = 0; i < 100000; i++) boot::New<Node>();
  });
  entry("GC", [] { runtime::GC(); });
  entry("FreeOSMemory", [] { runtime::debug::FreeOSMemory(); });
  entry("new", [] {
    for (int i = 0; i < 1000; i++) delete[] new char[static_cast<std::size_t>(i) * 100 + 1];
  });
  entry("print", [] { boot::eprint("{}{:.3}{}", "", std::string(), ""); });
  entry("format", [] {
    volatile double d = 3.14159e100;
    std::string s = fmt::format("{} {:f} {:x}", d, d, 1ull << 63);
    if (s.empty()) boot::panic("empty");
  });
  entry("Read", [] {
    auto [r, w] = boot::os::Pipe();
    boot::os::Write(w, "x", 1);
    char c;
    boot::os::Read(r, &c, 1);
    boot::os::Close(r);
    boot::os::Close(w);
  });

  entry("panic", [] {
    try {
      boot::panic("text");
    } catch (boot::Panic&) {}
  });
  entry("nil", [] {
    try {
      volatile int* p = nullptr;
      *p = 1;
    } catch (boot::RuntimeError&) {}
  });
  entry("throw", [] {
    try {
      raise();
    } catch (std::exception&) {}
  });
  if (worst + kPreempt > runtime::kStackSlack) boot::panic(report);
  boot::println("all within {} of {}:{}", worst, runtime::kStackSlack, report);
}
