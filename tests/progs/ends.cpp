// Ways to end, and writers: what tests/check_ends.py runs. `ends WAY`, `ends out WRITER`, `ends secure`.
// HOSTED: also
// RUN: %prog return
// STDOUT-MATCH: atexit
// STDOUT-MATCH: destructor
#include <boot/boot.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <vector>
#ifdef BOOT_HOSTED
#include <sys/wait.h>

#include <iostream>
#include <thread>
#endif

namespace {

using boot::eprintln;
using boot::go;
namespace os = boot::os;

long sysCall(long nr, long a = 0, long b = 0, long c = 0) {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(nr), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}
void say(const char* s) { os::Write(1, s, strlen(s)); }
void signalSelf(int sig) { sysCall(62, sysCall(39), sig); }

struct witness {
  ~witness() { say("destructor\n"); }
} global;

// Events enough for a trace of some size.
void work(int n) {
  auto c = boot::make_chan<int>();
  go([=] {
    for (int i = 0; i < n; i++) c.send(i);
    c.close();
  });
  for (int v : c) (void)v;
}

void everywhere() {
  for (int i = 0; i < 4; i++) go([] { exit(4); });
  boot::select();
}

[[gnu::noinline]] void raise(const char* s) { throw std::runtime_error(s); }

struct way {
  const char* name;
  void (*f)();
};
int* volatile nil;
const way ways[] = {
    {"return", [] {}},
    {"os_exit", [] { os::Exit(3); }},
    {"os_exit0", [] { os::Exit(0); }},
    {"exit", [] { exit(4); }},
    {"exit0", [] { exit(0); }},
    {"exit_goroutine",
     [] {
       go([] { exit(0); });
       boot::select();
     }},
    {"exit_many", everywhere},
    {"_exit", [] { _exit(5); }},
    {"_Exit", [] { _Exit(6); }},
    {"quick_exit", [] { quick_exit(7); }},
    {"abort", [] { abort(); }},
    {"terminate", [] { std::terminate(); }},
    {"noexcept", [] { []() noexcept { raise("out of noexcept"); }(); }},
    {"panic", [] { boot::panic("away"); }},
    {"panic_goroutine",
     [] {
       go([] { boot::panic("away"); });
       boot::select();
     }},
    {"exception", [] { throw std::runtime_error("away"); }},
    {"nil", [] { *nil = 1; }},
    {"fatal", [] { boot::sync::Mutex().Unlock(); }},
    {"deadlock", [] { boot::select(); }},
    {"goexit", [] { runtime::Goexit(); }},
    {"sigterm",
     [] {
       signalSelf(15);
       boot::select();
     }},
    {"sigquit",
     [] {
       signalSelf(3);
       boot::select();
     }},
#ifdef BOOT_HOSTED
    {"thread_exit",
     [] {
       std::thread([] { exit(8); }).detach();
       boot::time::Sleep(
           std::chrono::hours(1));  // a timer: threads that are not the runtime's save nobody from a deadlock
     }},
    {"fork",
     [] {
       pid_t child = fork();
       if (child == 0) _exit(1);
       int status = 0;
       waitpid(child, &status, 0);
     }},
#endif
};

// ---- writers: 0, or the error number ----

long positive(long r) { return r > 0 ? 0 : r == 0 ? EIO : -r; }
long cError(bool failed) { return failed ? errno : 0; }
char page[4096];

struct writer {
  const char* name;
  long (*f)(int fd);
};
FILE* streamOf(int fd) { return fd == 1 ? stdout : stderr; }
// In hosted mode libc's buffer is where the error is found, so it is emptied after each.
long flushed(int fd, bool failed) { return cError(failed || fflush(streamOf(fd)) != 0); }
const writer writers[] = {
    {"println", [](int fd) { return positive(fd == 1 ? boot::println("line") : boot::eprintln("line")); }},
    {"print", [](int fd) { return positive(fd == 1 ? boot::print("{}\n", 1) : boot::eprint("{}\n", 1)); }},
    {"printf", [](int fd) { return flushed(fd, fprintf(streamOf(fd), "%d\n", 1) < 0); }},
    {"printf_long", [](int fd) { return flushed(fd, fprintf(streamOf(fd), "%4000d\n", 1) < 0); }},
    {"puts", [](int fd) { return flushed(fd, (fd == 1 ? puts("line") : fputs("line\n", stderr)) == EOF); }},
    {"putchar", [](int fd) { return flushed(fd, (fd == 1 ? putchar('\n') : fputc('\n', stderr)) == EOF); }},
    {"fputs", [](int fd) { return flushed(fd, fputs("line\n", streamOf(fd)) == EOF); }},
    {"fwrite", [](int fd) { return flushed(fd, fwrite(page, 1, sizeof page, streamOf(fd)) != sizeof page); }},
    {"dprintf", [](int fd) { return cError(dprintf(fd, "line\n") < 0); }},
    {"write", [](int fd) { return cError(write(fd, "line\n", 5) <= 0); }},
    {"os_write", [](int fd) { return positive(os::Write(fd, "line\n", 5)); }},
    {"syscall", [](int fd) { return cError(syscall(1, fd, "line\n", 5) <= 0); }},
#ifdef BOOT_HOSTED
    {"cout", [](int fd) { return cError(!((fd == 1 ? std::cout : std::cerr) << "line" << std::endl)); }},
    {"thread",
     [](int fd) {
       long e = 0;
       std::thread([&] { e = cError(write(fd, "line\n", 5) <= 0); }).join();
       return e;
     }},
#endif
};

// Writes until it fails; a limit keeps a test that would not end from filling a disk.
int out(const char* name, int fd) {
  memset(page, '\n', sizeof page);
  for (const writer& w : writers) {
    if (strcmp(w.name, name) != 0) continue;
    long e = 0;
    for (int i = 0; i < 1000000 && e == 0; i++) e = w.f(fd);
    if (fd != 2) eprintln("{}: error {}", name, e);
    if (fd < 3 && ferror(streamOf(fd)) != 0 && fd != 2) eprintln("ferror");
    return e == 0 ? 98 : 20 + static_cast<int>(e);
  }
  return 97;
}

// ---- reports ----

// What a finalizer waits for is shown as what any goroutine waits for.
struct finalized {
  int* p = nullptr;
  char fill[100];
};
[[gnu::noinline]] void waitsForEver() { boot::select(); }
[[gnu::noinline]] void drop() {
  for (int i = 0; i < 16; i++) runtime::SetFinalizer(boot::New<finalized>(), [](finalized*) { waitsForEver(); });
}
[[gnu::noinline]] void clobber() {
  volatile char a[2048];
  memset(const_cast<char*>(a), 0, sizeof a);
}
std::string stacks() {
  std::string s(64 << 10, '\0');
  s.resize(runtime::Stack(s.data(), s.size(), true));
  return s;
}
void finalizer() {
  std::string s;
  for (int i = 0; i < 100 && s.find("waitsForEver") == s.npos; i++) {
    drop();
    clobber();
    runtime::GC();
    boot::time::Sleep(std::chrono::milliseconds(5));
    s = stacks();
  }
  boot::print("{}", s);
  boot::println("goroutines {}", runtime::NumGoroutine());
  boot::panic("away");
}

void unlockNothing() { boot::sync::Mutex().Unlock(); }
void signalDeferred() {
  boot::defer d{unlockNothing};
  *nil = 1;
}
void signalCaught() {
  try {
    *nil = 1;
  } catch (const boot::Panic&) {
    unlockNothing();
  }
}
void signalOver() {
  try {
    *nil = 1;
  } catch (const boot::Panic&) {}
  unlockNothing();
}
void signalKept() {
  std::exception_ptr p;
  try {
    *nil = 1;
  } catch (const boot::Panic&) {
    p = std::current_exception();
  }
  unlockNothing();
}
void signalOther() {  // a newer panic without one is in a catch block
  boot::defer d{[] {
    try {
      boot::panic("inner");
    } catch (const boot::Panic&) {
      unlockNothing();
    }
  }};
  *nil = 1;
}

// A method of an object that is not there is a panic that can be caught, whatever the object.
int notCaught = 0;
template <class T, class F>
void onNil(const char* what, F f) {
  T* p = nullptr;
  __asm__("" : "+r"(p));
  try {
    f(*p);
    boot::println("{}: no panic", what);
    notCaught++;
  } catch (const boot::Panic& e) {
    boot::println("{}: {}", what, e.what());
  }
}
// By calls: gcc 14 was seen to leave the handler out for a load whose value nobody uses in the try block itself.
[[gnu::noinline]] void sendTo(boot::chan<int>& x) { x.send(1); }
[[gnu::noinline]] void receiveFrom(boot::chan<int>& x) { x.recv(); }
[[gnu::noinline]] void closeIt(boot::chan<int>& x) { x.close(); }
void nilObjects() {
  using namespace boot::sync;
  onNil<Mutex>("Mutex.Lock", [](Mutex& x) { x.Lock(); });
  onNil<Mutex>("Mutex.TryLock", [](Mutex& x) { x.TryLock(); });
  onNil<Mutex>("Mutex.Unlock", [](Mutex& x) { x.Unlock(); });
  onNil<RWMutex>("RWMutex.Lock", [](RWMutex& x) { x.Lock(); });
  onNil<RWMutex>("RWMutex.Unlock", [](RWMutex& x) { x.Unlock(); });
  onNil<RWMutex>("RWMutex.RLock", [](RWMutex& x) { x.RLock(); });
  onNil<RWMutex>("RWMutex.RUnlock", [](RWMutex& x) { x.RUnlock(); });
  onNil<RWMutex>("RWMutex.TryLock", [](RWMutex& x) { x.TryLock(); });
  onNil<RWMutex>("RWMutex.TryRLock", [](RWMutex& x) { x.TryRLock(); });
  onNil<RWMutex>("RWMutex.RLocker", [](RWMutex& x) { x.RLocker().Lock(); });
  onNil<WaitGroup>("WaitGroup.Add", [](WaitGroup& x) { x.Add(1); });
  onNil<WaitGroup>("WaitGroup.Done", [](WaitGroup& x) { x.Done(); });
  onNil<WaitGroup>("WaitGroup.Wait", [](WaitGroup& x) { x.Wait(); });
  onNil<Once>("Once.Do", [](Once& x) { x.Do([] {}); });
  onNil<Cond>("Cond.Wait", [](Cond& x) { x.Wait(); });
  onNil<Cond>("Cond.Signal", [](Cond& x) { x.Signal(); });
  onNil<Cond>("Cond.Broadcast", [](Cond& x) { x.Broadcast(); });
  static int value;
  onNil<Pool<int>>("Pool.Put", [](Pool<int>& x) { x.Put(&value); });
  onNil<Pool<int>>("Pool.Get", [](Pool<int>& x) { x.Get(); });
  onNil<Pool<>>("Pool<>.Put", [](Pool<>& x) { x.Put(&value); });
  onNil<boot::time::Timer>("Timer.Stop", [](boot::time::Timer& x) { x.Stop(); });
  onNil<boot::time::Timer>("Timer.Reset", [](boot::time::Timer& x) { x.Reset(std::chrono::seconds(1)); });
  onNil<boot::time::Ticker>("Ticker.Stop", [](boot::time::Ticker& x) { x.Stop(); });
  onNil<boot::time::Ticker>("Ticker.Reset", [](boot::time::Ticker& x) { x.Reset(std::chrono::seconds(1)); });
  onNil<boot::chan<int>>("chan.send", sendTo);
  onNil<boot::chan<int>>("chan.recv", receiveFrom);
  onNil<boot::chan<int>>("chan.close", closeIt);
  boot::println("not caught {}", notCaught);
}

#pragma GCC diagnostic ignored "-Winfinite-recursion"  // a panic ends it
// Who started whom, with the stacks that they had.
[[gnu::noinline]] void leaf(int n, boot::chan<int> c) {
  if (n == 0) {
    go([c] {
      go([] { boot::panic("away"); });
      c.recv();
    });
    boot::time::Sleep(std::chrono::hours(1));
  }
  leaf(n - 1, c);
  (void)c.len();
}
void ancestors() {
  // Many lives of the same g's: what is kept for them is not taken anew for each.
  auto done = boot::make_chan<int>();
  auto lives = [&] {
    for (int i = 0; i < 20000; i++) {
      go([=] { done.send(1); });
      done.recv();
    }
    runtime::MemStats m;
    runtime::ReadMemStats(&m);
    return m.Sys;
  };
  auto before = lives(), after = lives();
  boot::println("more {}", (after - before) >> 10);
  leaf(3, boot::make_chan<int>());
}

// A panic deep down, for a debugger: what its frames hold is there still when it is reported. Deferred functions change it.
extern "C" {
volatile long* ends_locals[5];  // the addresses of number in inner(0) to inner(3), and of outer
}
[[gnu::noinline]] void inner(int n, const char* text) {
  volatile long number = 1000 + n;
  ends_locals[n] = &number;
  std::string local = "local";
  boot::defer d{[&] { number = number + 1; }};
  if (n == 0) boot::panic(text);
  inner(n - 1, text);
  __asm__ volatile("" : : "r"(local.data()) : "memory");
}
[[gnu::noinline]] long deep(long n) {
  volatile long pad[100];
  pad[n % 100] = n;
  if (n == 0) inner(3, "from below");
  return deep(n - 1) + pad[n % 100];
}
[[gnu::noinline]] void disturb() {  // what a deferred function uses of the stack
  volatile char a[30000];
  for (auto& c : a) c = 0x55;
}
[[gnu::noinline]] void keptOuter(int depth) {
  volatile long outer = 1004;
  ends_locals[4] = &outer;
  boot::defer d{[&] {
    disturb();
    outer = outer + 1;
  }};
  if (depth == 0)
    inner(3, "from below");
  else
    deep(depth);
  outer = outer + 1;
}
void kept() { keptOuter(0); }
void keptDeep() { keptOuter(2000); }
[[gnu::noinline]] void keptException() {
  boot::defer d{disturb};
  raise("from below");
}
void keptGoexit() {  // a Goexit takes its place: nothing is reported
  go([] {
    boot::defer d{[] { runtime::Goexit(); }};
    inner(3, "from below");
  });
  boot::time::Sleep(std::chrono::milliseconds(20));
  boot::println("on");
}
const way reports[] = {{"finalizer", finalizer},
                       {"signal_deferred", signalDeferred},
                       {"signal_caught", signalCaught},
                       {"signal_over", signalOver},
                       {"signal_kept", signalKept},
                       {"signal_other", signalOther},
                       {"nil_objects", nilObjects},
                       {"ancestors", ancestors},
                       {"kept", kept},
                       {"kept_deep", keptDeep},
                       {"kept_exception", keptException},
                       {"kept_goexit", keptGoexit}};

// What the environment names, as somebody with more rights than their caller sees it.
void secure() {
  const char* s = secure_getenv("GODEBUG");
  const char* e = getenv("GODEBUG");
  boot::println("uid {} euid {}", sysCall(102), sysCall(107));
  boot::println("secure_getenv {} getenv {} Getenv {}", s != nullptr ? s : "null", e != nullptr ? "set" : "null",
                os::Getenv("GODEBUG").empty() ? "empty" : "set");
  boot::println("procs {} gc {} limit {}", runtime::GOMAXPROCS(0), runtime::debug::SetGCPercent(100),
                runtime::debug::SetMemoryLimit(-1) == INT64_MAX ? "none" : "set");
  work(10);
  std::string_view how = os::Args().size() > 2 ? os::Args()[2] : "";
  for (const way& w : ways)
    if (how == w.name) w.f();
}

}  // namespace

void main_main() {
  auto args = os::Args();
  std::string_view what = args.size() > 1 ? args[1] : "";
  if (what == "list" || what == "writers") {
    if (what == "list")
      for (const way& w : ways) boot::println("{}", w.name);
    else
      for (const writer& w : writers) boot::println("{}", w.name);
    _exit(0);
  }
  if (what == "secure") return secure();
  for (const way& w : reports)
    if (what == w.name) {
      w.f();
      _exit(0);
    }
  if (what == "out") _exit(out(args[2], args.size() > 3 ? atoi(args[3]) : 1));
  atexit([] { say("atexit\n"); });
  at_quick_exit([] { say("at_quick_exit\n"); });
  work(args.size() > 2 ? atoi(args[2]) : 100);
  printf("buffered\n");
  for (const way& w : ways)
    if (what == w.name) return w.f();
  eprintln("no way {}", what);
  os::Exit(99);
}
