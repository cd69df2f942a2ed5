// CHECK(condition): prints the place and ends the program with status 1 if it does not hold. For the cxx_*.cpp programs,
// which are built in both modes from the same source.
#pragma once

#include <boot/boot.h>

#define CHECK(...)                                                                 \
  do {                                                                             \
    if (!(__VA_ARGS__)) {                                                          \
      boot::eprintln("{}:{}: CHECK({}) failed", __FILE__, __LINE__, #__VA_ARGS__); \
      boot::os::Exit(1);                                                           \
    }                                                                              \
  } while (0)

// Runs f on n goroutines and waits for all.
template <class F>
void onGoroutines(int n, F f) {
  auto done = boot::make_chan<int>(n);
  for (int i = 0; i < n; i++) {
    boot::go([=] {
      f(i);
      done.send(i);
    });
  }
  for (int i = 0; i < n; i++) done.recv();
}
