// The receiving end of signals; see signal.h. One goroutine, started by the first Notify, fetches what handlers have
// queued (runtime/diag/sigqueue.cpp) and sends it on.
//
// Invariants: under mu, a signal is enabled in the runtime iff some channel wants it.
#include "boot/signal.h"

#include <algorithm>
#include <vector>

#include "boot/go.h"
#include "boot/select.h"
#include "boot/sync.h"
#include "runtime/diag/sigqueue.h"

namespace boot::os {

std::string Signal::String() const {
  // As Go's package syscall has them.
  static constexpr const char* names[] = {"",
                                          "hangup",
                                          "interrupt",
                                          "quit",
                                          "illegal instruction",
                                          "trace/breakpoint trap",
                                          "aborted",
                                          "bus error",
                                          "floating point exception",
                                          "killed",
                                          "user defined signal 1",
                                          "segmentation fault",
                                          "user defined signal 2",
                                          "broken pipe",
                                          "alarm clock",
                                          "terminated",
                                          "stack fault",
                                          "child exited",
                                          "continued",
                                          "stopped (signal)",
                                          "stopped",
                                          "stopped (tty input)",
                                          "stopped (tty output)",
                                          "urgent I/O condition",
                                          "CPU time limit exceeded",
                                          "file size limit exceeded",
                                          "virtual timer expired",
                                          "profiling timer expired",
                                          "window changed",
                                          "I/O possible",
                                          "power failure",
                                          "bad system call"};
  if (number > 0 && number < static_cast<int>(sizeof names / sizeof *names)) return names[number];
  return "signal " + std::to_string(number);
}

namespace signal {

namespace {

constexpr int kSigs = 64;

struct handler {
  chan<Signal> c;
  std::uint64_t mask;
  std::uint64_t stop = 0;  // while on the list stopping: which call of Stop or Reset put it there
};
// Never destroyed: a signal may come while the program's statics are.
struct state {
  sync::Mutex mu;
  std::vector<handler> handlers;
  std::vector<handler> stopping;  // what has been queued when Stop or Reset came is still sent to them
  std::uint64_t stops = 0;
  int ref[kSigs + 1] = {};
  bool running = false;
};
state& st() {
  static state* s = new state;
  return *s;
}

std::uint64_t maskOf(std::initializer_list<Signal> sigs) {
  if (sigs.size() == 0) return ~std::uint64_t{0};
  std::uint64_t m = 0;
  for (Signal s : sigs)
    if (s.number > 0 && s.number <= kSigs) m |= std::uint64_t{1} << (s.number - 1);
  return m;
}

void loop() {
  for (;;) {
    int n = static_cast<int>(runtime::signal_recv());
    st().mu.Lock();
    for (std::vector<handler>* list : {&st().handlers, &st().stopping})
      for (handler& h : *list)
        if (h.mask >> (n - 1) & 1) select(on_send(h.c, Signal{n}), on_default());
    st().mu.Unlock();
  }
}

// Takes the signals of gone away from h; those that nobody is left for are added to *free. mu held.
void unwant(handler& h, std::uint64_t gone, std::uint64_t* free) {
  gone &= h.mask;
  h.mask &= ~gone;
  for (int n = 1; n <= kSigs; n++)
    if ((gone >> (n - 1) & 1) && --st().ref[n] == 0) *free |= std::uint64_t{1} << (n - 1);
}

void each(std::uint64_t mask, void (*action)(std::uint32_t)) {
  for (int n = 1; n <= kSigs; n++)
    if (mask >> (n - 1) & 1) action(static_cast<std::uint32_t>(n));
}

// The end of a call of Stop or Reset; mu is held and given back. What came before the call still goes to the channels that it
// has put on the list stopping under its number.
void settle(std::uint64_t stop) {
  st().mu.Unlock();
  runtime::signalWaitUntilIdle();
  st().mu.Lock();
  std::erase_if(st().stopping, [=](const handler& h) { return h.stop == stop; });
  st().mu.Unlock();
}

// From the old state to the new in one step: a signal that is asked for and then ignored never does what it does by default.
void cancel(std::uint64_t mask, void (*action)(std::uint32_t), bool deliver) {
  st().mu.Lock();
  std::uint64_t stop = ++st().stops, free = 0;
  bool any = false;
  for (handler& h : st().handlers) {
    if ((h.mask & mask) == 0) continue;
    if (deliver) st().stopping.push_back({h.c, h.mask & mask, stop});
    any = true;
    unwant(h, mask, &free);
  }
  std::erase_if(st().handlers, [](const handler& h) { return h.mask == 0; });
  each(mask, action);
  if (any && deliver) return settle(stop);
  st().mu.Unlock();
}

}  // namespace

void Notify(chan<Signal> c, std::initializer_list<Signal> sigs) {
  if (!c) runtime::panicplain("os/signal: Notify using nil channel");
  std::uint64_t mask = maskOf(sigs);
  st().mu.Lock();
  if (!st().running) {
    st().running = true;
    go(loop);
  }
  handler* h = nullptr;
  for (handler& o : st().handlers)
    if (o.c == c) h = &o;
  if (h == nullptr) h = &st().handlers.emplace_back(handler{c, 0});
  std::uint64_t more = mask & ~h->mask;
  h->mask |= more;
  for (int n = 1; n <= kSigs; n++)
    if ((more >> (n - 1) & 1) && st().ref[n]++ == 0) runtime::signal_enable(static_cast<std::uint32_t>(n));
  st().mu.Unlock();
}

// A signal that came before goes to the channel or does what it does without Notify; it is not lost between the two.
void Stop(chan<Signal> c) {
  st().mu.Lock();
  auto h = std::find_if(st().handlers.begin(), st().handlers.end(), [&](const handler& o) { return o.c == c; });
  if (h == st().handlers.end()) return st().mu.Unlock();
  std::uint64_t stop = ++st().stops, free = 0;
  st().stopping.push_back({h->c, h->mask, stop});
  unwant(*h, h->mask, &free);
  st().handlers.erase(h);
  each(free, runtime::signal_disable);
  settle(stop);
}

void Reset(std::initializer_list<Signal> sigs) { cancel(maskOf(sigs), runtime::signal_disable, true); }
void Ignore(std::initializer_list<Signal> sigs) { cancel(maskOf(sigs), runtime::signal_ignore, false); }
bool Ignored(Signal sig) {
  return sig.number > 0 && sig.number <= kSigs && runtime::signal_ignored(static_cast<std::uint32_t>(sig.number));
}

}  // namespace signal
}  // namespace boot::os
