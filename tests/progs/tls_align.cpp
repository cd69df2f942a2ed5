// thread_locals of all alignments up to a page, of many sizes: each thread has its own, aligned, with its first value, and
// the runtime's word right above them stays what it is.
// PIE: also
// PROCS: 1 2
// STDOUT: ok
#include <boot/boot.h>

#include <cerrno>
#include <cstdint>

#ifndef TLS_ALIGN
#define TLS_ALIGN 4096
#endif

namespace {

template <std::size_t Align>
struct alignas(Align) aligned {
  char c[Align];
};

thread_local char first = 'f';
thread_local aligned<TLS_ALIGN> strictest{{1, 2, 3}};
thread_local aligned<128> set{{4, 5}};
thread_local aligned<64> zero;
thread_local char odd[301];
thread_local aligned<TLS_ALIGN / 2> half;
thread_local char last = 'l';

template <class T>
[[gnu::noinline]] bool is(T& v, std::size_t align, int at, char value) {
  T* p = &v;
  __asm__ volatile("" : "+r"(p));
  return reinterpret_cast<std::uintptr_t>(p) % align == 0 && reinterpret_cast<char*>(p)[at] == value;
}

// Once for each thread: what it has got, then it writes all over it.
void look(const char* where) {
  bool fresh = is(first, 1, 0, 'f') && is(strictest, TLS_ALIGN, 2, 3) && is(strictest, TLS_ALIGN, TLS_ALIGN - 1, 0) &&
               is(set, 128, 1, 5) && is(zero, 64, 63, 0) && is(odd, 1, 300, 0) && is(half, TLS_ALIGN / 2, 0, 0) &&
               is(last, 1, 0, 'l');
  if (!fresh) {
    boot::eprintln("wrong in {}", where);
    boot::os::Exit(1);
  }
  __builtin_memset(&strictest, 0xaa, sizeof strictest);
  __builtin_memset(&set, 0xaa, sizeof set);
  __builtin_memset(&zero, 0xaa, sizeof zero);
  __builtin_memset(odd, 0xaa, sizeof odd);
  __builtin_memset(&half, 0xaa, sizeof half);
  first = last = 'x';
  errno = 12345;
}

}  // namespace

void main_main() {
  runtime::LockOSThread();
  look("the first thread");
  for (int round = 0; round < 30; round++) {  // ms of ended threads serve again
    boot::sync::WaitGroup wg;
    for (int i = 0; i < 3; i++) {
      wg.Add(1);
      boot::go([&] {
        static thread_local bool seen = false;
        runtime::LockOSThread();
        if (!seen) look("another thread");
        seen = true;
        runtime::Gosched();
        wg.Done();
      });
    }
    wg.Wait();
    runtime::GC();
  }
  if (first != 'x' || !is(odd, 1, 300, static_cast<char>(0xaa))) boot::eprintln("wrong at the end");
  boot::println("ok");
}
