// Still more of who runs when (see sem_turns.cpp): Cond's Signal and Broadcast, several waits for a WaitGroup, writers and
// readers in turn, Stop and Reset of timers and tickers, selects with closed and ready channels, LockOSThread nested,
// Goexit, NumGoroutine on the way. The expected lines are a Go 1.19 program's, the same in 8 of 8 runs at GOMAXPROCS=1.
// PROCS: 1
// REPEAT: 3
// SERIAL: it measures time
// STDOUT: signal then broadcast: signalled all 4 5 0 1 2 3
// STDOUT: broadcast with the lock held: held free 2 2' 3 3' 0 0' 1 1'
// STDOUT: several wait: d1 d0 main w3 w0 w1 w2 again main
// STDOUT: writer first: falsefalse release released w w' r0 r1 r2 w2 true
// STDOUT: many writers: u r2 r0 r1 w0 w1
// STDOUT: barging: false true mine 4 0 1 2 3
// STDOUT: once, counters: first | done sync: negative WaitGroup counter | sync: negative WaitGroup counter |
// STDOUT: afterfunc stop: true false false true true ran false false false ran false
// STDOUT: stale timer: len1 stopfalse len1 resetfalse len1 stale len0 stoptrue none
// STDOUT: ticker: len1 cap1 len0 len0 true len0 non-positive interval for NewTicker | non-positive interval for Ticker.Reset |
// STDOUT: count with timers: 1 2 f3 2 g2 1
// STDOUT: two queues: sent 2a3 3b0 0a1 1b2
// STDOUT: select and close: len0 0a0false 2b7true 1a0false
// STDOUT: closed and nil: 0false default send on closed channel | send on closed channel | close of closed channel | close of nil channel | send on closed channel | 0 0 0
// STDOUT: close under a select: closed send on closed channel | out
// STDOUT: not with itself: alone r10 s1 1 r11 end
// STDOUT: full buffer: s4 s0 len2 4 0 s2 s1 1 2 3 s3
// STDOUT: range by three: 2:0 0:1 0:2 1:3 1:4 2:5 2. 0. 1.
// STDOUT: channel of channels: 2=0 0=1 1=2
// STDOUT: poll: - r2 r0 r1 s1 s2 s0
// STDOUT: nested lock: true unlocked
// STDOUT: goexit: 2 [yielded inner outer]
// STDOUT: goexit ends a panic: 1
// STDOUT: count: 4 2(4) 0(3) 1(2) 1
#include <boot/boot.h>

#include "sem_out.h"

using namespace std::chrono_literals;
using boot::chan;
using boot::make_chan;
using boot::on_recv;
using boot::on_send;

namespace {

void flush(const char* name) {
  if (!out.empty() && out.back() == ' ') out.pop_back();
  boot::println("{}: {}", name, out);
  out.clear();
}
// Go evaluates arguments from left to right; C++ does as it likes.
template <class... A>
void say(A... each) {
  (put("{} ", each()), ...);
}

void conds() {
  {
    boot::sync::Mutex mu;
    boot::sync::Cond c(mu);
    each(6, [&](int i) {
      mu.Lock();
      c.Wait();
      put("{} ", i);
      mu.Unlock();
    });
    settle();
    c.Signal();
    c.Signal();
    put("signalled ");
    c.Broadcast();
    put("all ");
    settle();
    flush("signal then broadcast");
  }
  {
    boot::sync::Mutex mu;
    boot::sync::Cond c(mu);
    each(4, [&](int i) {
      mu.Lock();
      c.Wait();
      put("{} ", i);
      runtime::Gosched();
      put("{}' ", i);
      mu.Unlock();
    });
    settle();
    mu.Lock();
    c.Broadcast();
    put("held ");
    runtime::Gosched();
    put("free ");
    mu.Unlock();
    settle();
    settle();
    flush("broadcast with the lock held");
  }
  {
    boot::sync::WaitGroup wg;
    wg.Add(2);
    each(4, [&](int i) {
      wg.Wait();
      put("w{} ", i);
    });
    settle();
    each(2, [&](int i) {
      put("d{} ", i);
      wg.Done();
    });
    wg.Wait();
    put("main ");
    settle();
    wg.Add(1);
    boot::go([&] {
      put("again ");
      wg.Done();
    });
    wg.Wait();
    put("main ");
    flush("several wait");
  }
}

void locks() {
  {
    boot::sync::RWMutex rw;
    rw.RLock();
    boot::go([&] {
      rw.Lock();
      put("w ");
      runtime::Gosched();
      put("w' ");
      rw.Unlock();
    });
    settle();
    bool r = rw.TryRLock(), w = rw.TryLock();
    put("{}{} ", r, w);
    each(3, [&](int i) {
      rw.RLock();
      put("r{} ", i);
      runtime::Gosched();
      rw.RUnlock();
    });
    boot::go([&] {
      rw.Lock();
      put("w2 ");
      rw.Unlock();
    });
    settle();
    put("release ");
    rw.RUnlock();
    put("released ");
    settle();
    settle();
    put("{} ", rw.TryLock());
    rw.Unlock();
    flush("writer first");
  }
  {
    boot::sync::RWMutex rw;
    rw.Lock();
    each(2, [&](int i) {
      rw.Lock();
      put("w{} ", i);
      rw.Unlock();
    });
    each(3, [&](int i) {
      rw.RLock();
      put("r{} ", i);
      rw.RUnlock();
    });
    settle();
    rw.Unlock();
    put("u ");
    settle();
    settle();
    flush("many writers");
  }
  {
    boot::sync::Mutex mu;
    mu.Lock();
    each(5, [&](int i) {
      mu.Lock();
      put("{} ", i);
      mu.Unlock();
    });
    settle();
    put("{} ", mu.TryLock());
    mu.Unlock();
    put("{} ", mu.TryLock());
    settle();
    put("mine ");
    mu.Unlock();
    settle();
    flush("barging");
  }
  {
    boot::sync::Once once;
    recovered([&] { once.Do([] { boot::panic("first"); }); });
    once.Do([] { put("never "); });
    put("done ");
    recovered([] {
      boot::sync::WaitGroup wg;
      wg.Done();
    });
    recovered([] {
      boot::sync::WaitGroup wg;
      wg.Add(1);
      wg.Add(-2);
    });
    flush("once, counters");
  }
}

void timers() {
  {
    auto t = boot::time::AfterFunc(1h, [] { put("never "); });
    say([&] { return t.Stop(); }, [&] { return t.Stop(); });
    say([&] { return t.Reset(1h); }, [&] { return t.Reset(1h); }, [&] { return t.Stop(); });
    auto done = make_chan<int>();
    boot::time::Timer u;
    u = boot::time::AfterFunc(1ms, [&u, done] {
      put("ran {} ", u.Stop());
      done.send(1);
    });
    done.recv();
    say([&] { return u.Stop(); }, [&] { return u.Reset(1ms); });
    done.recv();
    flush("afterfunc stop");
  }
  {
    boot::time::Timer t(1ms);
    boot::time::Sleep(10ms);
    put("len{} ", t.C.len());
    put("stop{} ", t.Stop());
    put("len{} ", t.C.len());
    put("reset{} ", t.Reset(1h));
    put("len{} ", t.C.len());
    t.C.recv();
    put("stale len{} ", t.C.len());
    put("stop{} ", t.Stop());
    boot::select(on_recv(t.C, [] { put("got "); }), boot::on_default([] { put("none "); }));
    flush("stale timer");
  }
  {
    boot::time::Ticker t(10ms);
    boot::time::Sleep(55ms);
    put("len{} cap{} ", t.C.len(), t.C.cap());
    t.Stop();
    t.Stop();
    t.C.recv();
    put("len{} ", t.C.len());
    boot::time::Sleep(30ms);
    put("len{} ", t.C.len());
    t.Reset(5ms);
    auto a = t.C.recv();
    auto b = t.C.recv();
    put("{} ", b > a);
    t.Stop();
    boot::select(on_recv(t.C), boot::on_default());
    boot::time::Sleep(20ms);
    put("len{} ", t.C.len());
    recovered([] { boot::time::Ticker zero(0s); });
    recovered([&] { t.Reset(-1ns); });
    flush("ticker");
  }
  {
    auto c = make_chan<int>(), start = make_chan<int>();
    auto f = boot::time::AfterFunc(5ms, [=] {
      put("f{} ", runtime::NumGoroutine());
      c.send(1);
    });
    put("{} ", runtime::NumGoroutine());
    boot::go([=] {
      start.recv();
      put("g{} ", runtime::NumGoroutine());
      c.send(2);
    });
    put("{} ", runtime::NumGoroutine());
    for (int i = 0; i < 2; i++) {
      if (i == 1) start.send(1);
      c.recv();
      runtime::Gosched();
      put("{} ", runtime::NumGoroutine());
    }
    flush("count with timers");
  }
}

void selects() {
  {
    auto a = make_chan<int>(), b = make_chan<int>();
    each(4, [=](int i) {
      boot::select(on_recv(a, [=](int v) { put("{}a{} ", i, v); }), on_recv(b, [=](int v) { put("{}b{} ", i, v); }));
    });
    settle();
    b.send(0);
    a.send(1);
    b.send(2);
    a.send(3);
    put("sent ");
    settle();
    flush("two queues");
  }
  {
    auto a = make_chan<int>(), b = make_chan<int>(1);
    each(3, [=](int i) {
      boot::select(on_recv(a, [=](int v, bool ok) { put("{}a{}{} ", i, v, ok); }),
                   on_recv(b, [=](int v, bool ok) { put("{}b{}{} ", i, v, ok); }));
    });
    settle();
    b.send(7);
    put("len{} ", b.len());
    a.close();
    settle();
    flush("select and close");
  }
  {
    auto c = make_chan<int>();
    c.close();
    chan<int> nil;
    boot::select(on_recv(c, [](int v, bool ok) { put("{}{} ", v, ok); }), on_recv(nil, [] { put("nil "); }),
                 on_send(nil, 1, [] { put("nil "); }));
    boot::select(on_recv(nil), boot::on_default([] { put("default "); }));
    recovered([&] { boot::select(on_send(c, 1), boot::on_default([] { put("default "); })); });
    recovered([&] { boot::select(on_send(c, 1), on_recv(nil)); });
    recovered([&] { c.close(); });
    recovered([&] { nil.close(); });
    recovered([&] { c.send(1); });
    put("{} {} {} ", nil.len(), nil.cap(), c.cap());
    flush("closed and nil");
  }
  {
    auto c = make_chan<int>();
    boot::go([=] {
      recovered([&] { boot::select(on_send(c, 1, [] { put("sent "); }), on_recv(make_chan<int>())); });
      put("out ");
    });
    settle();
    c.close();
    put("closed ");
    settle();
    flush("close under a select");
  }
  {
    auto c = make_chan<int>();
    boot::go([=] {
      for (int i = 0; i < 3; i++)
        boot::select(on_send(c, i, [=] { put("s{} ", i); }), on_recv(c, [](int v) { put("r{} ", v); }));
      put("end ");
    });
    settle();
    put("alone ");
    c.send(10);
    int v = c.recv();
    put("{} ", v);
    c.send(11);
    settle();
    flush("not with itself");
  }
}

void channels() {
  {
    auto c = make_chan<int>(2);
    each(5, [=](int i) {
      c.send(i);
      put("s{} ", i);
    });
    settle();
    put("len{} ", c.len());
    for (int i = 0; i < 5; i++) {
      int v = c.recv();
      put("{} ", v);
      if (i == 1) runtime::Gosched();
    }
    settle();
    flush("full buffer");
  }
  {
    auto c = make_chan<int>(8);
    for (int i = 0; i < 6; i++) c.send(i);
    c.close();
    each(3, [=](int i) {
      for (int v : c) {
        put("{}:{} ", i, v);
        if (v % 2 == 0) runtime::Gosched();
      }
      put("{}. ", i);
    });
    settle();
    flush("range by three");
  }
  {
    auto cc = make_chan<chan<int>>();
    each(3, [=](int i) {
      auto c = make_chan<int>();
      cc.send(c);
      int v = c.recv();
      put("{}={} ", i, v);
    });
    for (int i = 0; i < 3; i++) cc.recv().send(i);
    settle();
    flush("channel of channels");
  }
  {
    auto c = make_chan<int>();
    each(3, [=](int i) {
      c.send(i);
      put("s{} ", i);
    });
    for (int n = 0; n < 3;)
      boot::select(on_recv(c,
                           [&](int v) {
                             put("r{} ", v);
                             n++;
                           }),
                   boot::on_default([] {
                     put("- ");
                     runtime::Gosched();
                   }));
    settle();
    flush("poll");
  }
}

long gettid() {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(186) : "rcx", "r11", "memory");
  return r;
}

void ends() {
  {
    auto done = make_chan<bool>();
    boot::go([=] {
      runtime::LockOSThread();
      runtime::LockOSThread();
      long a = gettid();
      runtime::UnlockOSThread();
      bool same = true;
      for (int i = 0; i < 50; i++) {
        runtime::Gosched();
        boot::time::Sleep(100us);
        same = same && gettid() == a;
      }
      put("{} ", same);
      for (int i = 0; i < 3; i++) runtime::UnlockOSThread();
      put("unlocked ");
      done.send(true);
    });
    done.recv();
    flush("nested lock");
  }
  {
    std::string order;
    auto done = make_chan<int>();
    boot::go([&] {
      boot::defer last{[&] { done.close(); }};
      boot::defer outer{[&] { order += " outer"; }};
      [&] {
        boot::defer inner{[&] { order += " inner"; }};
        boot::defer yielded{[&] {
          runtime::Gosched();
          order += "yielded";
        }};
        runtime::Goexit();
      }();
      order += " never";
    });
    put("{} ", runtime::NumGoroutine());
    done.recv();
    put("[{}] ", order);
    flush("goexit");
  }
  {
    auto done = make_chan<int>();
    boot::go([=] {
      boot::defer last{[=] { done.close(); }};
      boot::defer ends{[] { runtime::Goexit(); }};
      boot::panic("swallowed");
    });
    done.recv();
    settle();
    put("{} ", runtime::NumGoroutine());
    flush("goexit ends a panic");
  }
  {
    each(3, [](int i) { put("{}({}) ", i, runtime::NumGoroutine()); });
    put("{} ", runtime::NumGoroutine());
    settle();
    put("{} ", runtime::NumGoroutine());
    flush("count");
  }
}

}  // namespace

void main_main() {
  conds();
  locks();
  timers();
  selects();
  channels();
  ends();
}
