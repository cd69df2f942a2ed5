// Output gathered in memory and written at once at the end. A write is a system call, in which a goroutine may lose its
// P (on a loaded machine it does); that would change the order which these programs are to show.
// And what the scenes of who runs when have in common.
#pragma once

#include <boot/boot.h>
#include <fmt/format.h>

#include <string>

inline std::string out;

template <class... A>
void put(fmt::format_string<A...> f, A&&... a) {
  out += fmt::format(f, std::forward<A>(a)...);
}

// Lets all others run until they wait.
inline void settle() {
  for (int i = 0; i < 20; i++) runtime::Gosched();
}
// Starts f(0) … f(n-1).
template <class F>
void each(int n, F f) {
  for (int i = 0; i < n; i++) boot::go([f, i] { f(i); });
}
// What f panics with, noted.
template <class F>
void recovered(F f) {
  try {
    f();
  } catch (boot::Panic& p) {
    put("{} | ", p.what());
  }
}
