// Where the only pointer to an object may be, and it lives: globals, thread_locals, another stack, a stack segment far
// down, a register across a system call, the arguments of a go statement, a channel, an exception in flight, a timer.
// CLAIMS: [C50] [C54]
// PROCS: 1 2 8
// ENV: GODEBUG=gccheckmark=1,clobberfree=1
// PIE: also
// STDOUT: global thread_local parked deep syscall preempted go-arguments channel exception timer select defer
#include <boot/boot.h>

#include <array>
#include <stdexcept>
#include <string>

namespace {

struct Obj {
  std::uint64_t magic[4];
};
constexpr std::uint64_t kMagic = 0xa5a5'1234'5678'9abc;

[[gnu::noinline]] Obj* make() { return boot::New<Obj>(Obj{{kMagic, kMagic + 1, kMagic + 2, kMagic + 3}}); }
bool good(const Obj* o) {
  for (std::uint64_t i = 0; i < 4; i++)
    if (o->magic[i] != kMagic + i) return false;
  return true;
}

// Collects, and fills what was freed with other objects.
[[gnu::noinline]] void churn() {
  for (int i = 0; i < 3; i++) {
    runtime::GC();
    for (int k = 0; k < 2000; k++) boot::New<Obj>(Obj{{1, 2, 3, 4}});
  }
}

std::string passed;
void say(const char* what, bool ok) {
  if (!ok) boot::panic(std::string("gc_roots: lost: ") + what);
  passed += passed.empty() ? "" : " ";
  passed += what;
}

Obj* global;
thread_local Obj* local;

[[gnu::noinline]] int deep(int n, Obj* keep) {
  volatile char pad[512];
  pad[0] = static_cast<char>(n);
  if (n == 0) {
    churn();
    return good(keep);
  }
  Obj* mine = make();
  int r = deep(n - 1, keep);
  return r && good(mine) && pad[0] == static_cast<char>(n);
}

struct Carrier : std::runtime_error {
  Obj* o;
  explicit Carrier(Obj* p) : std::runtime_error("carrier"), o(p) {}
};
struct Churner {
  ~Churner() { churn(); }
};

}  // namespace

void main_main() {
  runtime::LockOSThread();  // a thread_local is the thread's
  global = make();
  local = make();
  churn();
  say("global", good(global));
  say("thread_local", good(local));
  runtime::UnlockOSThread();

  auto go_on = boot::make_chan<int>(0);
  auto answer = boot::make_chan<int>(0);
  boot::go([=] {
    Obj* o = make();
    answer.send(0);
    go_on.recv();
    answer.send(good(o));
  });
  answer.recv();
  churn();
  go_on.send(1);
  say("parked", answer.recv());

  boot::go([=] { answer.send(deep(2000, make())); });
  say("deep", answer.recv());

  // In a system call: the object is known to the caller's registers alone.
  auto [rfd, wfd] = boot::os::Pipe();

  boot::go([=] {
    Obj* o = make();
    char c = 0;
    answer.send(0);
    boot::os::Read(rfd, &c, 1);
    answer.send(c == 'x' && good(o));
  });
  answer.recv();
  boot::time::Sleep(std::chrono::milliseconds(2));
  churn();
  boot::os::Write(wfd, "x", 1);
  say("syscall", answer.recv());

  static std::uint32_t stop;
  boot::go([=] {
    Obj* o = make();
    while (__atomic_load_n(&stop, __ATOMIC_RELAXED) == 0) {}
    answer.send(good(o));
  });
  boot::time::Sleep(std::chrono::milliseconds(2));
  churn();
  __atomic_store_n(&stop, 1, __ATOMIC_RELAXED);
  say("preempted", answer.recv());

  {
    struct Collects {  // copied into the go statement's block, and collects meanwhile
      Obj* o;
      explicit Collects(Obj* p) : o(p) {}
      Collects(Collects&& c) noexcept : o(std::exchange(c.o, nullptr)) { churn(); }
      Collects(const Collects& c) : o(c.o) { churn(); }
    };
    boot::go([=, c = Collects(make())] {
      churn();
      answer.send(good(c.o));
    });
    say("go-arguments", answer.recv());
  }

  auto ch = boot::make_chan<Obj*>(4);
  ch.send(make());
  churn();
  say("channel", good(ch.recv()));

  bool ok = false;
  try {
    Churner c;
    throw Carrier(make());
  } catch (Carrier& e) {
    churn();
    ok = good(e.o);
  }
  say("exception", ok);

  boot::time::AfterFunc(std::chrono::milliseconds(20), [=, o = make()] { answer.send(good(o)); });
  churn();
  say("timer", answer.recv());

  auto ch2 = boot::make_chan<Obj*>(0);
  boot::go([=] {
    Obj* v = make();
    auto never = boot::make_chan<int>(0);
    boot::select(boot::on_send(ch2, v, [] {}), boot::on_recv(never, [](int, bool) {}));
  });
  boot::time::Sleep(std::chrono::milliseconds(2));
  churn();
  say("select", good(ch2.recv()));

  boot::go([=] {
    boot::defer d([=, o = make()] { answer.send(good(o)); });
    churn();
  });
  say("defer", answer.recv());
  boot::println("{}", passed);
}
