// A sandbox for tests: from now on the kernel refuses a system call, for all threads and what they execute.
#pragma once

#include <boot/boot.h>

#include <cstddef>
#include <cstdint>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <vector>

inline long rawcall(long n, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0) {
  register long r10 __asm__("r10") = d;
  register long r8 __asm__("r8") = e;
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8) : "rcx", "r11", "memory");
  return r;
}

struct refusal {
  std::uint32_t call;    // its number
  std::uint32_t err;     // what it says
  int arg = -1;          // if not -1: only where this argument's lower half ...
  std::uint32_t is = 0;  // ... has this value
};

inline void refuse(const std::vector<refusal>& list) {
  std::vector<sock_filter> f;
  for (const refusal& r : list) {
    f.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)));
    f.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r.call, 0, static_cast<std::uint8_t>(r.arg < 0 ? 1 : 3)));
    if (r.arg >= 0) {
      f.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offsetof(seccomp_data, args) +
                                                                                8 * static_cast<unsigned>(r.arg))));
      f.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, r.is, 0, 1));
    }
    f.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | r.err));
  }
  f.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  sock_fprog prog{static_cast<unsigned short>(f.size()), f.data()};
  constexpr long kPrctl = 157, kNoNewPrivs = 38, kSeccomp = 317;
  rawcall(kPrctl, kNoNewPrivs, 1);
  if (long r = rawcall(kSeccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, reinterpret_cast<long>(&prog));
      r != 0)
    boot::panic(fmt::format("seccomp: {}", r));
}
